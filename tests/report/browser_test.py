#!/usr/bin/env python3
"""Opens a report in headless Chromium, as a person would at three widths, in the dark and on paper.

browser_test.py PAGE: exit 0 where all is well, 1 with what is not, 77 where chromium, chromium-driver or python3-selenium
are missing.
"""
import base64
import json
import os
import shutil
import sys
import tempfile
import time

DRIVER, BROWSER = shutil.which("chromedriver"), shutil.which("chromium")
try:
    from selenium import webdriver
    from selenium.webdriver.chrome.options import Options
    from selenium.webdriver.chrome.service import Service
except ImportError:
    webdriver = None
if not (DRIVER and BROWSER and webdriver):
    print("missing: chromium, chromium-driver or python3-selenium")
    sys.exit(77)

failures = []


def check(holds, message):
    if not holds:
        failures.append(message)
        print("FAILED:", message)


def start(profile):
    options = Options()
    options.binary_location = BROWSER
    for argument in ("--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--user-data-dir=" + profile):
        options.add_argument(argument)
    options.set_capability("goog:loggingPrefs", {"browser": "ALL", "performance": "ALL"})
    return webdriver.Chrome(service=Service(DRIVER), options=options)


def requests(driver):
    """Addresses that were asked for since the last call."""
    for entry in driver.get_log("performance"):
        message = json.loads(entry["message"])["message"]
        if message["method"] == "Network.requestWillBeSent":
            yield message["params"]["request"]["url"]


# Scrolls past every chart, so that it is drawn when it comes near; then how many distinct colours each canvas has.
COLOURS = """
const done = arguments[0];
(async () => {
  for (const p of plots) {
    p.canvas.scrollIntoView({block: 'center'});
    for (let i = 0; i < 100 && !p.chart; ++i) await new Promise((r) => setTimeout(r, 10));
  }
  done(plots.map((p) => {
    if (!p.chart || !p.canvas.width) return 0;
    const pixels = p.canvas.getContext('2d').getImageData(0, 0, p.canvas.width, p.canvas.height).data;
    const seen = new Set();
    for (let i = 0; i < pixels.length; i += 4) seen.add((pixels[i] << 24) | (pixels[i + 1] << 16) | (pixels[i + 2] << 8) | pixels[i + 3]);
    return seen.size;
  }));
})();
"""

SORT = """
const heads = [...document.querySelectorAll('#configurations th')];
const column = heads.findIndex((h) => h.textContent.startsWith(arguments[0]));
heads[column].querySelector('button').click();
return [heads[column].getAttribute('aria-sort'),
        [...document.querySelectorAll('#configurations tbody tr')].map((r) => r.children[column].textContent)];
"""


def check_width(driver, url, width):
    driver.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", {"width": width, "height": 900, "deviceScaleFactor": 1, "mobile": width < 500})
    driver.get(url)
    widest = driver.execute_script("return document.documentElement.scrollWidth")
    check(widest <= width, f"at {width} px the page is {widest} px wide")
    lazy = driver.execute_script("return plots.filter((p) => !p.chart).length")
    check(lazy > 0, "every chart was drawn at once")
    colours = driver.execute_async_script(COLOURS)
    check(colours and min(colours) > 8, f"at {width} px charts are blank: distinct colours {colours}")
    narrow = driver.execute_script("return plots.filter((p) => p.canvas.getBoundingClientRect().right > innerWidth + 1).length")
    check(narrow == 0, f"at {width} px {narrow} charts stick out")


def check_sorting(driver):
    def number(text):
        return float(text.split("%")[0].split()[0])

    for expected in ("descending", "ascending"):
        order, cells = driver.execute_script(SORT, "clip accuracy")
        values = [number(c) for c in cells]
        check(order == expected and values == sorted(values, reverse=expected == "descending") and len(set(values)) > 1,
              f"sorting: {order}, {cells}")


def check_names(driver):
    unnamed = driver.execute_script("""
      return [...document.querySelectorAll('canvas')].filter((c) => !c.getAttribute('aria-label')).length
        + [...document.querySelectorAll('img')].filter((i) => !i.alt).length
        + [...document.querySelectorAll('th')].filter((h) => !h.getAttribute('scope')).length
        + [...document.querySelectorAll('select')].filter((s) => !s.labels.length || !s.labels[0].textContent).length
        + [...document.querySelectorAll('.scroll')].filter((s) => s.tabIndex !== 0 || !s.getAttribute('aria-label')).length""")
    check(unnamed == 0, f"{unnamed} parts have no name for a screen reader")


def check_stamps(driver):
    """Every row of a stamped model bears its stamps, in each table of figures."""
    bare = driver.execute_script("""
      const out = [];
      for (const f of data.families) for (const stamp of f.stamps)
        for (const table of ['#figures', '#configurations', '#differences'])
          for (const row of document.querySelectorAll(table + ' tbody tr'))
            if ([...row.querySelectorAll('span')].some((s) => s.textContent === f.name) && !row.textContent.includes(stamp)) out.push(table + ': ' + row.textContent);
      return out""")
    check(not bare, f"without their stamps: {bare}")


def check_selects(driver):
    before = driver.execute_script("plots[0].canvas.scrollIntoView(); draw(plots[0]); return plots[0].canvas.toDataURL()")
    after = driver.execute_script("""
      const s = [...document.querySelectorAll('#curves select')].find((x) => x.labels[0].textContent.startsWith('runs'));
      s.selectedIndex = 1; s.dispatchEvent(new Event('change')); return plots[0].canvas.toDataURL()""")
    check(before != after, "choosing all runs does not change the curves")


def check_dark(driver):
    state = "return [getComputedStyle(document.body).backgroundColor, plots[0].canvas.toDataURL()]"
    light = driver.execute_script(state)
    driver.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": [{"name": "prefers-color-scheme", "value": "dark"}]})
    for _ in range(40):  # the page hears of it a little later
        dark = driver.execute_script(state)
        if dark[1] != light[1]:
            break
        time.sleep(0.05)
    brightness = sum(int(v) for v in dark[0][4:-1].split(","))
    check(light[0] == "rgb(255, 255, 255)" and brightness < 150, f"backgrounds: {light[0]}, {dark[0]}")
    check(light[1] != dark[1], "charts do not follow the dark scheme")


def check_print(driver):
    # Charts are drawn for paper while the screen's style still holds: their boxes must be as large there as on paper.
    boxes = "return plots.map((p) => p.canvas.parentNode.getBoundingClientRect()).map((b) => [Math.round(b.width), Math.round(b.height)])"
    driver.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", {"width": 694, "height": 1000, "deviceScaleFactor": 1, "mobile": False})
    driver.execute_script("dispatchEvent(new Event('beforeprint'))")
    drawn = driver.execute_script(boxes)
    driver.execute_cdp_cmd("Emulation.setEmulatedMedia", {"media": "print", "features": [{"name": "prefers-color-scheme", "value": "dark"}]})
    printed = driver.execute_script(boxes)
    check(drawn == printed, f"charts are drawn for boxes of {drawn}, on paper these are {printed}")
    background = driver.execute_script("return getComputedStyle(document.body).backgroundColor")
    check(background == "rgb(255, 255, 255)", f"paper is {background}")
    driver.execute_script("dispatchEvent(new Event('afterprint'))")
    driver.execute_cdp_cmd("Emulation.setEmulatedMedia", {"media": "", "features": []})
    driver.execute_script("window.seen = null; addEventListener('beforeprint', () => { window.seen = [printing, document.querySelectorAll('details:not([open])').length]; })")
    pdf = base64.b64decode(driver.execute_cdp_cmd("Page.printToPDF", {"printBackground": True, "preferCSSPageSize": True})["data"])
    check(pdf.startswith(b"%PDF") and pdf.count(b"/Type /Page\n") + pdf.count(b"/Type /Page ") >= 2 and b"/Subtype /Image" in pdf,
          "the printed page is no PDF of several pages with charts")
    check(driver.execute_script("return window.seen") == [True, 0], "printing does not open everything")
    check(driver.execute_script("return printing") is False, "printing does not end")


def main(page):
    url = "file://" + os.path.abspath(page)
    with tempfile.TemporaryDirectory() as profile:
        driver = start(profile)
        try:
            driver.set_page_load_timeout(20)
            driver.set_script_timeout(20)
            driver.get("about:blank")
            list(requests(driver))  # what the browser opened by itself
            for width in (360, 900, 1600):
                check_width(driver, url, width)
            check_sorting(driver)
            check_names(driver)
            check_stamps(driver)
            check_selects(driver)
            check_dark(driver)
            check_print(driver)
            asked = [a for a in requests(driver) if a != url and not a.startswith("data:")]
            check(not asked, f"the page asks for {asked}")
            complaints = [e["message"] for e in driver.get_log("browser")]
            check(not complaints, f"the console says {complaints}")
        finally:
            driver.quit()
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
