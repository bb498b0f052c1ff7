// The elements of sections. Text is put in as text, never as markup.
'use strict';

function el(tag, attributes = {}, ...children) {
  const node = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (value === null || value === undefined || value === false) continue;
    if (name === 'style')
      node.style.cssText = value;
    else
      node.setAttribute(name, value === true ? '' : value);
  }
  node.append(...children.flat().filter((c) => c !== null && c !== undefined && c !== ''));
  return node;
}

const data = JSON.parse(document.getElementById('data').textContent);
const known = (v) => v !== null && v !== undefined;
const percent = (v, d = 1) => (known(v) ? (100 * v).toFixed(d) + '%' : '–');
const signed = (v) => (known(v) ? (v < 0 ? '−' : '+') + Math.abs(100 * v).toFixed(1) : '–');
const decimals = (v, d = 3) => (known(v) ? v.toFixed(d) : '–');
const whole = (v) => (known(v) ? v.toLocaleString('en') : '–');
const plural = (n, what) => `${whole(n)} ${what}${n === 1 ? '' : 's'}`;
const plusMinus = (s) => s.text || percent(s.mean);
function seconds(s) {
  if (!known(s)) return '–';
  if (s < 1e-3) return (1e6 * s).toPrecision(3) + ' µs';
  if (s < 1) return (1e3 * s).toPrecision(3) + ' ms';
  if (s < 100) return s.toPrecision(3) + ' s';
  return s < 6000 ? (s / 60).toFixed(1) + ' min' : (s / 3600).toFixed(1) + ' h';
}

const stampsOf = (names) => names.map(
    (name) =>
        el('strong', {class: 'stamp', title: (data.stamps.find((s) => s.name === name.split(' ')[0]) || {}).text}, name));
const familyName = (f) => [el('span', {}, f.name), ...stampsOf(f.stamps)];
const plainName =
    (f, c) => [f.name, c && c.name].filter(Boolean).join(': ') + f.stamps.map((s) => ` [${s}]`).join('');
const chosenOf = (f) => (known(f.chosen) ? f.configurations[f.chosen] : null);
// The tested configuration: the chosen one, or of each split the one that it chose.
const selectedOf = (f) => f.selected || null;
const referenceOf = (f) => (known(f.reference) ? f.configurations[f.reference] : null);
const scoredRuns = (c) => c.runs.map((i) => data.runs[i]).filter((r) => r.status === 'finished');

// ---- pieces ----

const contents = el('ul');
function section(id, title, ...children) {
  contents.append(el('li', {}, el('a', {href: '#' + id}, title)));
  const node = el(
      'section', {id, 'aria-labelledby': id + '-title'}, el('h2', {id: id + '-title'}, title), ...children);
  document.getElementById('main').append(node);
  return node;
}
const note = (...children) => el('p', {class: 'note'}, ...children);
const scroll = (label, table, extra = '') =>
    el('div', {class: 'scroll ' + extra, tabindex: 0, role: 'region', 'aria-label': label}, table);

// columns: [{name, text (left-aligned), class, value(row) to sort by}]; cells(row): the first becomes the
// row's header.
function table(caption, columns, rows, cells, options = {}) {
  const body =
      el('tbody', {},
         rows.map(
             (row) =>
                 el('tr', {class: options.rowClass && options.rowClass(row)},
                    cells(row).map(
                        (cell, i) =>
                            el(i ? 'td' : 'th', {
                              scope: i ? null : 'row',
                              class: [columns[i].text && 'text', columns[i].class].filter(Boolean).join(
                                         ' ') ||
                                  null
                            },
                               cell)))));
  const heads = columns.map(
      (c) =>
          el('th', {scope: 'col', class: [c.text && 'text', c.class].filter(Boolean).join(' ') || null},
             options.sortable ? el('button', {type: 'button'}, c.name) : c.name));
  const node =
      el('table', {}, caption && el('caption', {}, caption), el('thead', {}, el('tr', {}, heads)), body);
  if (options.sortable) {
    const lines = [...body.children];
    heads.forEach((head, i) => head.firstChild.addEventListener('click', () => {
      const descending = head.getAttribute('aria-sort') === 'ascending' ||
          (!head.hasAttribute('aria-sort') && columns[i].highFirst);
      heads.forEach((h) => h.removeAttribute('aria-sort'));
      head.setAttribute('aria-sort', descending ? 'descending' : 'ascending');
      const order = lines.map((line, k) => [columns[i].value(rows[k]), k]);
      order.sort(([a, x], [b, y]) => {
        if (!known(a) || !known(b)) return known(a) ? -1 : known(b) ? 1 : x - y;
        const d = typeof a === 'number' && typeof b === 'number' ?
            a - b :
            String(a).localeCompare(String(b), 'en', {numeric: true});
        return (descending ? -d : d) || x - y;
      });
      body.append(...order.map(([, k]) => lines[k]));
    }));
  }
  return node;
}

function choose(label, options, change) {
  const select = el('select', {}, options.map((text, i) => el('option', {value: i}, text)));
  select.addEventListener('change', () => change(select.selectedIndex));
  return {node: el('label', {}, label, select), select};
}

// A cell whose colour says v in [0, 1].
const cell = (v, text, extra = '') =>
    el('td', {
      class: `cell ${v > 0.735 ? 'deep' : ''} ${extra}`,
      style: `--v:${known(v) ? (0.06 + 0.94 * v).toFixed(3) : 0}`
    },
       text);
