#include <gtest/gtest.h>

#include <cmath>
#include <numeric>

#include "plot/colour_map.hpp"
#include "plot/panel.hpp"
#include "plot/png.hpp"
#include "plot/raster.hpp"
#include "plot/read_svg.hpp"
#include "plot/svg.hpp"
#include "plot/ticks.hpp"

namespace timbre::plot {
namespace {

std::string labels(const std::vector<Tick>& ticks) {
  std::string out;
  for (const auto& t : ticks) out += (out.empty() ? "" : " ") + t.label;
  return out;
}

TEST(ColourMap, MeetsMatplotlibsTable) {
  // matplotlib's magma and viridis at 0, 1/2 and 1 (indices 0, 128 and 255 of 256).
  const int magma[3][3] = {{0, 0, 4}, {183, 55, 121}, {252, 253, 191}};
  const int viridis[3][3] = {{68, 1, 84}, {33, 145, 140}, {253, 231, 37}};
  for (int i = 0; i < 3; ++i) {
    const auto a = palette(ColourMap::magma, 256)[i == 0 ? 0 : i == 1 ? 128 : 255];
    const auto b = palette(ColourMap::viridis, 256)[i == 0 ? 0 : i == 1 ? 128 : 255];
    const int got[6] = {a.red, a.green, a.blue, b.red, b.green, b.blue};
    for (int c = 0; c < 3; ++c) {
      EXPECT_NEAR(got[c], magma[i][c], 8) << i << " " << c;
      EXPECT_NEAR(got[3 + c], viridis[i][c], 8) << i << " " << c;
    }
  }
}

TEST(ColourMap, GrowsBrighter) {
  for (const auto map : {ColourMap::magma, ColourMap::viridis}) {
    double before = -1;
    for (const auto c : palette(map, 64)) {
      const double luma = 0.2126 * c.red + 0.7152 * c.green + 0.0722 * c.blue;
      EXPECT_GT(luma, before - 0.5);
      before = luma;
    }
    EXPECT_GT(before, 190);
  }
}

TEST(Png, GivesItsPixelsBack) {
  const auto colours = palette(ColourMap::viridis, 64);
  std::vector<std::uint8_t> pixels(7 * 5);
  for (std::size_t i = 0; i < pixels.size(); ++i) pixels[i] = std::uint8_t(i * 13 % 64);
  const auto png = encode_png(pixels, 7, 5, colours);
  EXPECT_EQ(png, encode_png(pixels, 7, 5, colours));
  const auto back = test::decode_png(png);
  ASSERT_EQ(back.width, 7);
  ASSERT_EQ(back.height, 5);
  for (std::size_t i = 0; i < pixels.size(); ++i) {
    EXPECT_EQ(back.rgb[3 * i], colours[pixels[i]].red);
    EXPECT_EQ(back.rgb[3 * i + 1], colours[pixels[i]].green);
    EXPECT_EQ(back.rgb[3 * i + 2], colours[pixels[i]].blue);
  }
}

TEST(Base64, IsThatOfTheStandard) {  // RFC 4648, section 10
  EXPECT_EQ(base64(""), "");
  EXPECT_EQ(base64("f"), "Zg==");
  EXPECT_EQ(base64("fo"), "Zm8=");
  EXPECT_EQ(base64("foo"), "Zm9v");
  EXPECT_EQ(base64("foobar"), "Zm9vYmFy");
  EXPECT_EQ(base64("\xff\xfe\xfd"), "//79");
}

TEST(Svg, EscapesWhatXmlDoesNotTake) {
  EXPECT_EQ(xml_text("a<b>&\"c\"'"), "a&lt;b&gt;&amp;&quot;c&quot;&#39;");
  EXPECT_EQ(xml_text("\u00e4\u4e2d\U0001F3B5"), "\u00e4\u4e2d\U0001F3B5");
  const std::string no = "\xEF\xBF\xBD";
  EXPECT_EQ(xml_text(std::string("\0\x01", 2)), no + no);
  EXPECT_EQ(xml_text("\xff"), no);
  EXPECT_EQ(xml_text("\xc0\xaf"), no + no) << "overlong";
  EXPECT_EQ(xml_text("\xed\xa0\x80"), no + no + no) << "a surrogate";
  EXPECT_EQ(xml_text("\xef\xbf\xbe"), no + no + no) << "U+FFFE";
  EXPECT_EQ(xml_text("\xe4"), no) << "cut off";
}

TEST(Svg, ShortensBetweenCharacters) {
  EXPECT_EQ(shortened("abc", 3), "abc");
  EXPECT_EQ(shortened("abcd", 3), "ab\u2026");
  EXPECT_EQ(shortened("\u00e4\u00f6\u00fc\u00df", 3), "\u00e4\u00f6\u2026");
}

TEST(Svg, IsWellFormedWhateverTheText) {
  Svg svg(10.5, 20, "a \"title\" & <more>\x02");
  svg.text(1, 2.126, "<&>'\"", {.anchor = "end", .bold = true, .turned = -90});
  svg.line(0, 0, 1, 1, "#000");
  const auto text = svg.finish();
  EXPECT_EQ(test::xml_problem(text), "");
  EXPECT_NE(text.find("y=\"2.13\""), text.npos);
  EXPECT_NE(text.find("rotate(-90 1 2.13)"), text.npos);
}

TEST(Svg, TheCheckFindsWhatIsNotXml) {
  EXPECT_EQ(test::xml_problem("<a b=\"1\"><c/>x &amp; y</a>\n"), "");
  for (const auto* bad : {"", "<a>", "<a></b>", "<a b=1/>", "<a b=\"1\" b=\"2\"/>", "<a>&</a>",
                          "<a>&nope;</a>", "<a/><a/>", "<a b=\"<\"/>", "x<a/>", "<a b=\"1\"c=\"2\"/>"})
    EXPECT_NE(test::xml_problem(bad), "") << bad;
}

TEST(Ticks, AreRoundNumbers) {
  EXPECT_EQ(labels(linear_ticks(-1, 1, 4)), "\u22121.0 \u22120.5 0.0 0.5 1.0");
  EXPECT_EQ(labels(linear_ticks(-33, 47, 8)), "\u221230 \u221220 \u221210 0 10 20 30 40");
  EXPECT_EQ(labels(linear_ticks(0, 0.1, 5)), "0.00 0.02 0.04 0.06 0.08 0.10");
  EXPECT_EQ(labels(whole_ticks(0, 12, 7)), "0 2 4 6 8 10 12");
  EXPECT_EQ(labels(whole_ticks(0, 1, 7)), "0 1");
  EXPECT_EQ(labels(whole_ticks(0, 0, 7)), "0");
}

TEST(Ticks, OfTimeAreSecondsThenMinutes) {
  EXPECT_EQ(labels(time_ticks(0, 30, 10)), "0 5 10 15 20 25 30");
  EXPECT_EQ(labels(time_ticks(60, 360, 10)), "1:00 1:30 2:00 2:30 3:00 3:30 4:00 4:30 5:00 5:30 6:00");
  EXPECT_EQ(labels(time_ticks(3600, 3630, 10)), "60:00 60:05 60:10 60:15 60:20 60:25 60:30");
  EXPECT_EQ(labels(time_ticks(0, 3600, 10)), "0:00 10:00 20:00 30:00 40:00 50:00 60:00");
  EXPECT_EQ(labels(time_ticks(200, 201, 10)).substr(0, 11), "200.0 200.1");
}

TEST(Ticks, OfFrequencyKeepTheRounderOfTwoThatTouch) {
  const auto wide = [](double f) { return 100 * std::log10(f); };
  EXPECT_EQ(labels(frequency_ticks(30, 11025, wide, 20, false)), "50 100 200 500 1,000 2,000 5,000 10,000");
  EXPECT_EQ(labels(frequency_ticks(30, 11025, wide, 35, true)), "100 1k 10k");
}

TEST(Raster, APixelTakesTheCellsItCovers) {
  // Six cells, each centred on its index, seen from -0.5 to 5.5.
  const auto halves = cells_under_pixels(3, 6, [](double p) { return -0.5 + 2 * p; });
  ASSERT_EQ(halves.size(), 3u);
  for (int p = 0; p < 3; ++p) {
    EXPECT_EQ(halves[std::size_t(p)].first, 2 * p);
    EXPECT_EQ(halves[std::size_t(p)].last, 2 * p + 2);
  }
  // Twelve pixels: every cell twice.
  const auto doubled = cells_under_pixels(12, 6, [](double p) { return -0.5 + 0.5 * p; });
  for (int p = 0; p < 12; ++p) {
    EXPECT_EQ(doubled[std::size_t(p)].first, p / 2) << p;
    EXPECT_EQ(doubled[std::size_t(p)].last, p / 2 + 1) << p;
  }
  // Beyond the ends: the nearest.
  const auto outside = cells_under_pixels(2, 6, [](double p) { return p < 1 ? -20 : p < 2 ? -10 : 30.0; });
  EXPECT_EQ(outside[0].first, 0);
  EXPECT_EQ(outside[0].last, 1);
  EXPECT_EQ(outside[1].first, 0);
  EXPECT_EQ(outside[1].last, 6);
}

TEST(Raster, ReducesToMaximumOrMean) {
  std::vector<float> values(4 * 3);  // [T 4, F 3]: 0 ... 11
  std::iota(values.begin(), values.end(), 0.0f);
  const std::vector<Cells> columns{{0, 2}, {2, 4}}, rows{{2, 3}, {0, 2}};
  const auto top = rasterise(values, 3, columns, rows, Reduction::maximum);
  EXPECT_EQ(top.values, (std::vector<float>{5, 11, 4, 10}));
  EXPECT_EQ(top.lowest(), 4);
  EXPECT_EQ(top.highest(), 11);
  const auto mean = rasterise(values, 3, columns, rows, Reduction::mean);
  EXPECT_EQ(mean.values, (std::vector<float>{3.5, 9.5, 2, 8}));
}

TEST(Raster, QuantisesWithinItsRange) {
  const std::vector<float> values{-5, 0, 0.26f, 0.5f, 0.99f, 1, 7};
  EXPECT_EQ(quantise(values, {0, 1}, 4), (std::vector<std::uint8_t>{0, 0, 1, 2, 3, 3, 3}));
  const auto flat = usable({-100, -100});
  EXPECT_EQ(quantise(std::vector<float>{-100}, flat, 64), std::vector<std::uint8_t>{0});
}

TEST(Panel, ColourBarIsBrightAtItsTop) {
  Svg svg(100, 200, "bar");
  draw_colour_bar(svg, {10, 20, 12, 160}, {-60, 20}, palette(ColourMap::magma, 64), "dB");
  const auto bars = test::bitmaps_of(svg.finish());
  ASSERT_EQ(bars.size(), 1u);
  EXPECT_EQ(bars[0].brightest_row(0), 0);
  int zeros = 0;
  for (const auto& t : test::texts_of(svg.finish())) {
    if (t.text != "0") continue;
    EXPECT_NEAR(t.y - 4, 20 + 160 * 0.25, 0.01);
    ++zeros;
  }
  EXPECT_EQ(zeros, 1);
}

}  // namespace
}  // namespace timbre::plot
