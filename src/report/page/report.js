// The page's sections from the block of data. Text is put in as text: nothing of it is taken for markup.
'use strict';

function el(tag, attributes = {}, ...children) {
  const node = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (value === null || value === undefined || value === false) continue;
    if (name === 'style') node.style.cssText = value;
    else node.setAttribute(name, value === true ? '' : value);
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
const plusMinus = (s) => (known(s.low) ? `${(100 * s.mean).toFixed(1)} ± ${(100 * (s.high - s.mean)).toFixed(1)}%` : percent(s.mean));
function seconds(s) {
  if (!known(s)) return '–';
  if (s < 1e-3) return (1e6 * s).toPrecision(3) + ' µs';
  if (s < 1) return (1e3 * s).toPrecision(3) + ' ms';
  if (s < 100) return s.toPrecision(3) + ' s';
  return s < 6000 ? (s / 60).toFixed(1) + ' min' : (s / 3600).toFixed(1) + ' h';
}

const stampsOf = (names) => names.map((name) => el('strong', {class: 'stamp', title: (data.stamps.find((s) => s.name === name) || {}).text}, name));
const familyName = (f) => [el('span', {}, f.name), ...stampsOf(f.stamps)];
const plainName = (f, c) => [f.name, c && c.name].filter(Boolean).join(': ') + f.stamps.map((s) => ` [${s}]`).join('');
const chosenOf = (f) => (known(f.chosen) ? f.configurations[f.chosen] : null);
const referenceOf = (f) => f.configurations[f.reference];
const scoredRuns = (c) => c.runs.map((i) => data.runs[i]).filter((r) => r.status === 'finished');

// ---- pieces ------------------------------------------------------------------------------------------------

const contents = el('ul');
function section(id, title, ...children) {
  contents.append(el('li', {}, el('a', {href: '#' + id}, title)));
  const node = el('section', {id, 'aria-labelledby': id + '-title'}, el('h2', {id: id + '-title'}, title), ...children);
  document.getElementById('main').append(node);
  return node;
}
const note = (...children) => el('p', {class: 'note'}, ...children);
const scroll = (label, table, extra = '') => el('div', {class: 'scroll ' + extra, tabindex: 0, role: 'region', 'aria-label': label}, table);

// columns: [{name, text (left-aligned), class, value(row) to sort by}]; cells(row): the first becomes the row's header.
function table(caption, columns, rows, cells, options = {}) {
  const body = el('tbody', {}, rows.map((row) => el('tr', {class: options.rowClass && options.rowClass(row)},
    cells(row).map((cell, i) => el(i ? 'td' : 'th', {scope: i ? null : 'row', class: [columns[i].text && 'text', columns[i].class].filter(Boolean).join(' ') || null}, cell)))));
  const heads = columns.map((c) => el('th', {scope: 'col', class: [c.text && 'text', c.class].filter(Boolean).join(' ') || null},
                                      options.sortable ? el('button', {type: 'button'}, c.name) : c.name));
  const node = el('table', {}, caption && el('caption', {}, caption), el('thead', {}, el('tr', {}, heads)), body);
  if (options.sortable) {
    const lines = [...body.children];
    heads.forEach((head, i) => head.firstChild.addEventListener('click', () => {
      const descending = head.getAttribute('aria-sort') === 'ascending' || (!head.hasAttribute('aria-sort') && columns[i].highFirst);
      heads.forEach((h) => h.removeAttribute('aria-sort'));
      head.setAttribute('aria-sort', descending ? 'descending' : 'ascending');
      const order = lines.map((line, k) => [columns[i].value(rows[k]), k]);
      order.sort(([a, x], [b, y]) => {
        if (!known(a) || !known(b)) return known(a) ? -1 : known(b) ? 1 : x - y;
        const d = typeof a === 'number' && typeof b === 'number' ? a - b : String(a).localeCompare(String(b), 'en', {numeric: true});
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
const cell = (v, text, extra = '') => el('td', {class: `cell ${v > 0.735 ? 'deep' : ''} ${extra}`, style: `--v:${known(v) ? (0.06 + 0.94 * v).toFixed(3) : 0}`}, text);

// ---- figures -----------------------------------------------------------------------------------------------

function headline() {
  const rows = [];
  for (const f of data.families) {
    const chosen = chosenOf(f);
    if (chosen) rows.push({f, c: chosen, role: f.configurations.length > 1 ? (f.chosen === f.reference ? 'chosen and reference' : 'chosen') : ''});
    if (!chosen || f.chosen !== f.reference) rows.push({f, c: referenceOf(f), role: 'reference'});
  }
  const guess = 100 / data.labels.length;
  const track = (t) => el('span', {class: 'track', 'aria-hidden': 'true'}, el('span', {class: 'guess', style: `left:${guess}%`}),
    el('span', {class: 'bar', style: `left:${100 * t.low}%;width:${100 * (t.high - t.low)}%`}), el('span', {class: 'dot', style: `left:${100 * t.clip.mean}%`}));
  const columns = [{name: 'model', text: true, class: 'wide'}, {name: 'clip accuracy'}, {name: '95% over clips, on 0 to 100%'}, {name: 'over seeds (95%, t)'},
                   {name: 'segment accuracy'}, {name: 'macro F1 (clips)'}, {name: 'parameters'}, {name: 'training'}, {name: 'per prediction'},
                   {name: 'epochs (best)'}, {name: 'seeds'}];
  const cells = ({f, c, role}) => {
    const t = c.test;
    const name = [...familyName(f), role && el('span', {class: 'tag'}, role), c.name && el('span', {class: 'settings'}, c.name)];
    return [name,
            t ? el('span', {class: 'big'}, percent(t.clip.mean)) : '–', t ? [`${(100 * t.low).toFixed(1)} to ${percent(t.high)}`, track(t)] : '–',
            t && known(t.clip.low) ? [plusMinus(t.clip), el('span', {class: 'small'}, `sd ${(100 * t.clip.sd).toFixed(1)}`)] : '–', t ? percent(t.segment.mean) : '–', t ? decimals(t.macro_f1.mean) : '–',
            whole(c.parameters), seconds(c.seconds), seconds(c.predict), `${decimals(c.epochs, 1)} (${decimals(c.best_epoch, 1)})`,
            c.diverged ? `${c.scored} (${c.diverged} diverged)` : c.scored];
  };
  const several = rows.some((r) => r.c.test && r.c.test.bootstrap), single = rows.some((r) => r.c.test && !r.c.test.bootstrap);
  const texts = ['Clip accuracy is the mean over seeds; a clip’s probability is the mean over its segments. '];
  if (several) texts.push('95% over clips, several seeds: clips are drawn with replacement, each with all its answers (one per seed that tested it), and the figure is right answers over answers; percentiles of 2000 draws. It answers how the figure would vary with other clips. ');
  if (single) texts.push('95% over clips, one seed: Wilson’s interval. ');
  texts.push('Over seeds: mean ± half of the 95% t-interval, and the standard deviation; with the seed change both the split and the initial weights. With two seeds the t-interval is 18 standard deviations wide. The dashed line is guessing. Times are of the machine named below; a prediction is of one segment.');
  section('figures', 'Test figures', scroll('Test figures', table('Clips of the test part, which took no part in training or selection.', columns, rows, cells,
            {rowClass: ({f, c}) => (f.configurations.length > 1 && c === chosenOf(f) ? 'chosen' : null)})),
          el('p', {}, data.selection), note(...texts));
  section('found', 'What was found', el('ul', {class: 'found'}, data.findings.map((text) => el('li', {}, text))));
}

// ---- curves ------------------------------------------------------------------------------------------------

function curves() {
  const node = section('curves', 'Learning curves',
    note('Training (dashed) and validation (solid), of segments: mean over seeds with a band of one standard deviation, over the runs that got as far as the epoch. ' +
         'Training accuracy is the running mean of the epoch with dropout on, and both losses include penalties, as Keras reports them. ' +
         'Circles: the epoch whose weights were kept; triangles: where a run stopped early.'));
  for (const f of data.families) {
    const start = known(f.chosen) ? f.chosen : f.reference;
    let c = f.configurations[start], runs = [], band = true;
    const withHistory = () => c.runs.map((i) => data.runs[i]).filter((r) => r.loss.length);
    const accuracy = plotFigure('Accuracy', '', (t) => curveConfig(t, runs, band, 'accuracy', 'accuracy', true));
    const loss = plotFigure('Loss', '', (t) => curveConfig(t, runs, band, 'loss', 'loss', false));
    const shown = el('p', {class: 'print-only note'});
    const which = choose('runs', [], (k) => show(k));
    const show = (k) => {
      const all = withHistory();
      band = k === 0;
      runs = k < 2 ? all : [all[k - 2]];
      const what = `${plainName(f, c)}, ${which.select.options[k] ? which.select.options[k].text : ''}`;
      shown.textContent = what;
      accuracy.querySelector('canvas').setAttribute('aria-label', 'Line chart of training and validation accuracy over epochs, ' + what);
      loss.querySelector('canvas').setAttribute('aria-label', 'Line chart of training and validation loss over epochs, ' + what);
      accuracy.redraw(); loss.redraw();
    };
    const pick = (k) => {
      c = f.configurations[k];
      const all = withHistory();
      which.select.replaceChildren(...[`mean of ${plural(all.length, 'run')}`, 'all runs', ...all.map((r) => 'seed ' + r.repetition + (r.status === 'finished' ? '' : `, ${r.status}`))]
        .map((text, i) => el('option', {value: i}, text)));
      show(0);
    };
    const settings = choose('configuration', f.configurations.map((x, i) => (x.name || f.name) + (i === f.chosen && f.configurations.length > 1 ? ' (chosen)' : '')), pick);
    settings.select.selectedIndex = start;
    node.append(el('h3', {}, familyName(f)), el('div', {class: 'controls'}, f.configurations.length > 1 ? settings.node : '', which.node), shown,
                el('div', {class: 'plots'}, accuracy, loss));
    pick(start);
  }
}

// ---- axes --------------------------------------------------------------------------------------------------

const figuresOfAxes = [{name: 'validation clip accuracy', of: (c) => c.clip, percent: true, best: Math.max},
                       {name: 'validation loss', of: (c) => c.loss, percent: false, best: Math.min},
                       {name: 'generalisation gap', of: (c) => c.gap, percent: true, best: Math.min}];
const mean = (values) => (values.length ? values.reduce((a, b) => a + b, 0) / values.length : null);
const where = (f, test, figure) => f.configurations.filter(test).map((c) => figure.of(c).mean).filter(known);

// The mean over configurations, and its standard error as the spread over their seeds gives it (null of single seeds).
function pooled(f, test, figure) {
  const spreads = f.configurations.filter(test).map(figure.of).filter((s) => known(s.mean));
  const variances = spreads.map((s) => (known(s.sd) ? s.sd * s.sd / s.n : null));
  const error = spreads.length && variances.every(known) ? Math.sqrt(variances.reduce((a, b) => a + b, 0)) / spreads.length : null;
  return {y: mean(spreads.map((s) => s.mean)), error};
}

// Whether (nearly) every configuration has its own number on an axis, as where values are drawn at random.
const drawn = (f, axis) => axis.texts.length > 8 && 2 * axis.texts.length > f.configurations.length && axis.texts.every((v) => Number.isFinite(Number(v)));

function axisPlot(f, x, figure, lineAxis) {
  const axis = f.axes[x], other = f.axes[lineAxis()];
  if (drawn(f, axis)) {
    const spots = f.configurations.map((c) => ({x: Number(axis.texts[c.values[x]]), y: figure.of(c).mean, text: c.name})).filter((p) => known(p.y));
    return plotFigure(figure.name, `Scatter chart of ${figure.name} over ${axis.key} of ${plainName(f)}; the values stand in the table of all configurations`,
                      (t) => spotsConfig(t, spots, axis.name, figure.name, figure.percent));
  }
  const lines = () => {
    const l = lineAxis();
    if (l < 0) return [{label: 'mean', values: axis.texts.map((_, v) => pooled(f, (c) => c.values[x] === v, figure))}];
    return f.axes[l].texts.map((text, k) => ({label: `${f.axes[l].name} ${text}`, values: axis.texts.map((_, v) => pooled(f, (c) => c.values[x] === v && c.values[l] === k, figure))}));
  };
  return plotFigure(figure.name, `Line chart of ${figure.name} over ${axis.key} of ${plainName(f)}${other ? ', a line per ' + other.name : ''}; the values stand in the table of all configurations`,
                    (t) => axisConfig(t, axis.texts, axis.name, lines(), figure.name, figure.percent));
}

function heatMap(f, x, y, figure) {
  const rows = f.axes[x], columns = f.axes[y];
  const at = rows.texts.map((_, r) => columns.texts.map((_, k) => where(f, (c) => c.values[x] === r && c.values[y] === k, figure)));
  const means = at.map((row) => row.map(mean));
  const all = means.flat().filter(known);
  const low = Math.min(...all), high = Math.max(...all), best = figure.best(...all);
  const text = (v) => (!known(v) ? '–' : figure.percent ? percent(v) : v.toPrecision(4));
  return el('table', {}, el('caption', {}, `${figure.name}, mean over everything else; outlined: the best`),
    el('thead', {}, el('tr', {}, el('th', {scope: 'col', class: 'text'}, `${rows.name} \\ ${columns.name}`), columns.texts.map((t) => el('th', {scope: 'col', class: 'cell'}, t)))),
    el('tbody', {}, rows.texts.map((t, r) => el('tr', {}, el('th', {scope: 'row'}, t), means[r].map((v, k) => {
      const node = cell(known(v) ? (high > low ? (v - low) / (high - low) : 0.5) : null, text(v), v === best ? 'best' : '');
      node.title = `${plural(at[r][k].length, 'configuration')}`;
      return node;
    })))));
}

function axes() {
  const swept = data.families.filter((f) => f.axes.length && f.configurations.length > 1);
  if (!swept.length) return;
  const node = section('axes', 'What each setting does',
    note('Of the validation part. Each point is the mean over all configurations with the value, whatever their other settings; its whisker is one standard error, from the spread over seeds. ' +
         'Where whiskers overlap, seeds alone can make the difference. Validation loss is without penalties; the gap is training minus validation accuracy (segments) at the kept epoch.'));
  for (const f of swept) {
    f.axes.forEach((axis, x) => {
      const others = f.axes.map((_, i) => i).filter((i) => i !== x);
      let line = others.length && f.axes[others[0]].texts.length <= 8 ? others[0] : -1;
      const figures = figuresOfAxes.slice(0, 2).map((figure) => axisPlot(f, x, figure, () => line));
      const lines = choose('a line per', ['(mean of all)', ...others.map((i) => f.axes[i].key)], (k) => { line = k ? others[k - 1] : -1; figures.forEach((p) => p.redraw()); });
      lines.select.selectedIndex = line < 0 ? 0 : 1;
      node.append(el('h3', {}, familyName(f), ': ', axis.key), others.length && !drawn(f, axis) ? el('div', {class: 'controls'}, lines.node) : '', el('div', {class: 'plots'}, figures));
    });
    const pairs = f.axes.flatMap((_, x) => f.axes.map((_, y) => [x, y])).filter(([x, y]) => x < y && !drawn(f, f.axes[x]) && !drawn(f, f.axes[y]));
    if (!pairs.length) continue;
    let boxes = [];
    const fill = (k) => pairs.forEach(([x, y], i) => boxes[i].replaceChildren(heatMap(f, x, y, figuresOfAxes[k])));
    boxes = pairs.map(([x, y]) => scroll(`Heat map of ${f.axes[x].key} and ${f.axes[y].key}`, '', 'cells'));
    fill(0);
    node.append(el('h3', {}, familyName(f), ': pairs of settings'), el('div', {class: 'controls'}, choose('figure', figuresOfAxes.map((g) => g.name), fill).node), el('div', {class: 'side'}, boxes));
  }
}

function gap() {
  const groups = data.families.map((f) => ({label: plainName(f), points: f.configurations.filter((c) => known(c.gap.mean) && known(c.clip.mean))
    .map((c) => ({x: c.gap.mean, y: c.clip.mean, text: c.name || f.name}))})).filter((g) => g.points.length);
  if (!groups.length) return;
  const figures = [plotFigure('Each point is a configuration', 'Scatter chart of validation clip accuracy against the generalisation gap; the values stand in the table of all configurations',
                              (t) => scatterConfig(t, groups, 'gap: training minus validation accuracy', 'validation clip accuracy'))];
  for (const f of data.families)
    f.axes.forEach((axis, x) => {
      if (!/^regularisation\.|regulariser|dropout|smoothing|decay/.test(axis.key)) return;
      const others = f.axes.map((_, i) => i).filter((i) => i !== x && f.axes[i].texts.length <= 8);
      const p = axisPlot(f, x, figuresOfAxes[2], () => (others.length ? others[0] : -1));
      p.caption.replaceChildren(...familyName(f), `: gap over ${axis.key}`);
      figures.push(p);
    });
  section('gap', 'Generalisation gap', note('How much better a model does on what it was trained on: training minus validation accuracy (segments) at the kept epoch. ' +
            'Training accuracy is measured with dropout on, so dropout lowers it.'), el('div', {class: 'plots'}, figures));
}

// ---- all configurations ------------------------------------------------------------------------------------

function configurations() {
  const keys = [...new Set(data.families.flatMap((f) => f.axes.map((a) => a.key)))];
  const rows = data.families.flatMap((f) => f.configurations.map((c, i) => ({f, c, chosen: i === f.chosen, reference: i === f.reference})));
  const setting = (row, key) => {
    const i = row.f.axes.findIndex((a) => a.key === key);
    return i < 0 ? [null, '–'] : [row.c.values[i], row.f.axes[i].texts[row.c.values[i]]];
  };
  const number = (name, of, highFirst, text) => ({name, value: (r) => of(r.c), highFirst, text: false, show: (r) => text(of(r.c), r)});
  const figures = [
    number('clip accuracy', (c) => c.clip.mean, true, (v, r) => plusMinus(r.c.clip)), number('segment accuracy', (c) => c.segment.mean, true, (v) => percent(v)),
    number('macro F1', (c) => c.macro_f1.mean, true, (v) => decimals(v)), number('loss', (c) => c.loss.mean, false, (v) => decimals(v)),
    number('train accuracy', (c) => c.train.mean, true, (v) => percent(v)), number('gap, points', (c) => c.gap.mean, false, (v) => signed(v)),
    number('minus reference, points', (c) => c.difference.mean, true, (v, r) => (r.reference ? '' : known(r.c.difference.low) ? `${signed(v)} (${signed(r.c.difference.low)} to ${signed(r.c.difference.high)})` : signed(v))),
    number('epochs', (c) => c.epochs, false, (v) => decimals(v, 1)), number('best epoch', (c) => c.best_epoch, false, (v) => decimals(v, 1)),
    number('parameters', (c) => c.parameters, false, whole), number('training', (c) => c.seconds, false, seconds),
    number('seeds', (c) => c.scored, true, (v, r) => v + (r.c.diverged ? ` (${r.c.diverged} diverged)` : '') + (r.c.unfinished ? ` (${r.c.unfinished} unfinished)` : ''))];
  const names = keys.map((k) => { const f = data.families.find((g) => g.axes.some((a) => a.key === k)); return f.axes.find((a) => a.key === k).name; });
  const columns = [{name: 'model', text: true, value: (r) => r.f.name}, ...keys.map((key, i) => ({name: names[i], value: (r) => setting(r, key)[0]})), ...figures];
  const cells = (r) => [[...familyName(r.f), r.chosen && r.f.configurations.length > 1 ? el('span', {class: 'tag'}, 'chosen') : '', r.reference && r.f.configurations.length > 1 ? el('span', {class: 'tag'}, 'reference') : ''],
                        ...keys.map((k) => setting(r, k)[1]), ...figures.map((g) => g.show(r))];
  section('configurations', 'All configurations, on validation',
    note('Means over seeds; ± is half of the 95% t-interval. “Minus reference” pairs the seeds of a configuration with those of its model’s first one (95% t-interval of the mean difference, not corrected for their number). ' +
         'The headings sort.'),
    scroll('All configurations', table('Validation figures', columns, rows, cells, {sortable: true, rowClass: (r) => (r.chosen && r.f.configurations.length > 1 ? 'chosen' : null)}), rows.length > 25 ? 'tall' : ''));
}

// ---- one model ---------------------------------------------------------------------------------------------

function confusionTable(caption, confusion, normalised) {
  const n = data.labels.length, most = Math.max(1, ...confusion);
  return el('table', {}, el('caption', {}, caption),
    el('thead', {}, el('tr', {}, el('th', {scope: 'col', class: 'text'}, 'true \\ taken for'), data.labels.map((l) => el('th', {scope: 'col', class: 'cell'}, el('span', {class: 'name'}, l))))),
    el('tbody', {}, data.labels.map((label, r) => {
      const row = confusion.slice(r * n, (r + 1) * n), sum = row.reduce((a, b) => a + b, 0);
      return el('tr', {}, el('th', {scope: 'row'}, label), row.map((v, k) => {
        const part = normalised ? (sum ? v / sum : 0) : v / most;
        return cell(v ? part : null, v === 0 ? '·' : normalised ? (100 * v / sum).toFixed(0) + '%' : v, k === r ? '' : 'off');
      }));
    })));
}

function models() {
  for (const [i, f] of data.families.entries()) {
    const c = chosenOf(f), d = f.detail;
    if (!c || !d) continue;
    const rows = data.labels.map((label, k) => ({label, k, clips: d.confusion.slice(k * data.labels.length, (k + 1) * data.labels.length).reduce((a, b) => a + b, 0)}));
    const genres = table('Per genre, of clips', [{name: 'genre', text: true}, {name: 'clips'}, {name: 'precision'}, {name: 'recall'}, {name: 'F1'}], rows,
                         (r) => [r.label, r.clips, decimals(d.precision[r.k]), decimals(d.recall[r.k]), decimals(d.f1[r.k])]);
    const over = c.test.clip.n > 1 ? `clips, summed over ${c.test.clip.n} seeds` : 'clips';
    const what = d.bins.filter((b) => b[2]).map((b) => `confidence ${percent(b[3])}: accuracy ${percent(b[4])}`).join('; ');
    const node = section('model-' + i, 'Test: ' + f.name, c.name ? el('p', {}, 'The chosen configuration: ' + c.name + '.') : '',
      el('div', {class: 'side'}, scroll(`Confusion matrix of ${f.name}`, confusionTable([`Confusion, ${over}`, ...stampsOf(f.stamps)], d.confusion, false), 'cells upright'),
         scroll(`Normalised confusion matrix of ${f.name}`, confusionTable(['Share of each true genre', ...stampsOf(f.stamps)], d.confusion, true), 'cells upright')),
      el('div', {class: 'side'}, scroll(`Precision, recall and F1 of ${f.name}`, genres),
         el('div', {style: 'flex:1 1 20rem'}, plotFigure(['Reliability of segment probabilities', ...stampsOf(f.stamps)], `Reliability diagram of ${f.name}. ${what}`, (t) => reliabilityConfig(t, d.bins), 'square'),
            note(`Expected calibration error ${decimals(d.ece)} (15 bins of confidence; a point’s size says how many segments it stands for). Below the diagonal the model is surer than it is right.`))));
    node.querySelector('h2').append(...stampsOf(f.stamps));
  }
}

function wrong() {
  const w = data.wrong, families = w.families.map((i) => data.families[i]);
  if (!families.length) return;
  const counted = (predictions) => {
    const counts = new Map();
    predictions.forEach((p) => counts.set(p, (counts.get(p) || 0) + 1));
    return [...counts].sort((a, b) => b[1] - a[1]).map(([p, n]) => data.labels[p] + (predictions.length > 1 ? ` ×${n}` : '')).join(', ');
  };
  const intro = `Of the ${plural(w.tested, 'clip')} that ${families.length > 1 ? 'every chosen configuration was' : 'the chosen configuration was'} tested on, ` +
                `${w.clips.length} were never taken for what they are labelled. ${families.length < data.families.length ? 'Models whose split leaks are left out. ' : ''}` +
                'Such clips are worth a listen: they may be mislabelled, or lie between genres.';
  const node = section('wrong', families.length > 1 ? 'Clips that every model gets wrong' : 'Clips that are always taken wrong', el('p', {}, intro));
  if (w.clips.length) node.append(scroll('Clips', table('', [{name: 'clip', text: true}, {name: 'true genre', text: true}, ...families.map((f) => ({name: ['by ', ...familyName(f)], text: true}))], w.clips,
    (x) => [x.path, data.labels[x.label], ...x.taken.map(counted)]), w.clips.length > 25 ? 'tall' : ''));
}

function differences() {
  const within = data.families.filter((f) => f.test_difference);
  if (!data.comparisons.length && !within.length) return;
  const node = section('differences', 'Differences on the test clips');
  const interval = (s) => (known(s.low) ? `${signed(s.low)} to ${signed(s.high)}` : '–');
  if (data.comparisons.length)
    node.append(scroll('Differences between models', table('Between the chosen configurations of the models',
      [{name: 'first', text: true}, {name: 'second', text: true}, {name: 'first minus second, points'}, {name: '95% over seeds'}, {name: 'clips'}, {name: 'better for first'}, {name: 'better for second'}, {name: 'p (exact)'}, {name: 'p (Holm)'}, {name: '', text: true}],
      data.comparisons, (c) => [familyName(data.families[c.first]), familyName(data.families[c.second]),
        ...(c.not_compared ? ['–', '–', '–', '–', '–', '–', '–', 'not compared: ' + c.not_compared]
                           : [signed(c.difference.mean), interval(c.difference), c.clips, c.first_better, c.second_better, c.p.toPrecision(3), c.adjusted.toPrecision(3), c.adjusted < 0.05 ? 'differ' : 'cannot be told apart'])])));
  if (within.length)
    node.append(scroll('Differences to the reference', table('Within a model: chosen minus reference, on the test clips',
      [{name: 'model', text: true}, {name: 'chosen', text: true}, {name: 'reference', text: true}, {name: 'difference, points'}, {name: '95% over seeds'}, {name: 'p (exact)'}], within,
      (f) => [familyName(f), chosenOf(f).name, referenceOf(f).name, signed(f.test_difference.mean), interval(f.test_difference), f.test_p.toPrecision(3)])));
  node.append(note('Differences are paired: over the seeds in which both were tested on the same clips. The exact test is over clips: a clip counts for the model that got it right in more of these seeds, for none where they are even (with one seed: McNemar’s test); two-sided. ' +
                   'Holm: corrected for the number of pairs of models.'));
}

// ---- where it comes from -----------------------------------------------------------------------------------

function examples() {
  if (!data.examples.length) return;
  section('examples', 'What the models see', el('div', {class: 'examples'}, data.examples.map((p) => {
    const svg = /^<svg[^>]*\sxmlns=/.test(p.svg) ? p.svg : p.svg.replace('<svg', '<svg xmlns="http://www.w3.org/2000/svg"');
    return el('figure', {}, el('figcaption', {}, p.title), el('img', {src: 'data:image/svg+xml;charset=utf-8,' + encodeURIComponent(svg), alt: p.alt || p.title}));
  })));
}

function source() {
  const node = section('source', 'Data and split');
  node.append(scroll('Splits', table('Segments of each part; a seed has its own split unless the configuration says otherwise',
    [{name: 'seed', text: true}, {name: 'models', text: true}, {name: 'runs'}, {name: 'train'}, {name: 'validation'}, {name: 'test'}, {name: 'test clips also in train'}, {name: 'test clips whose artist is in train'}], data.splits,
    ({split: s, models, runs}) => [[s.repetition, ...stampsOf(s.stamps)], models.join(', '), runs, ...s.sizes.map(whole), percent(s.clip_share), known(s.artist_share) ? percent(s.artist_share) : 'unknown']),
    data.splits.length > 25 ? 'tall' : ''));
  const notes = [...new Set(data.splits.flatMap(({split}) => split.notes.map(([name, text]) => (/^note\d+$/.test(name) ? text : `${name}: ${text}`))))];
  if (notes.length) node.append(el('details', {}, el('summary', {}, plural(notes.length, 'note') + ' on the splits'), el('ul', {}, notes.map((t) => el('li', {}, t)))));
  node.append(el('h3', {}, 'Genres'), el('p', {}, data.labels.join(', ')), el('h3', {}, 'Bad files'));
  if (!data.bad_files.length) node.append(el('p', {}, 'None: every file could be read.'));
  else node.append(scroll('Bad files', table('Skipped', [{name: 'file', text: true}, {name: 'why', text: true}], data.bad_files, (b) => b), data.bad_files.length > 25 ? 'tall' : ''));
  section('machine', 'Machine and versions', el('dl', {}, data.environment.flatMap(([name, values]) => [el('dt', {}, name),
    el('dd', {}, values.map(([v, n]) => (values.length > 1 ? `${v} (${plural(n, 'run')})` : v)).join('; '))])));
}

function again() {
  const node = section('again', 'How to run each again',
    note('Save the resolved configuration of a model as NAME.yaml; each line then runs one of its configurations. ', el('code', {}, 'inspect RESULT --config'), ' prints the one of any result.'));
  for (const f of data.families) {
    const lines = f.configurations.map((c) => c.runs.map((i) => {
      const r = data.runs[i], [seed, ...rest] = r.repetition.split(', ');
      const parts = rest.map((t) => t.replace(/^fold /, '--set split.fold=').replace(/^split /, '--set split.seed='));
      return ['run_experiment NAME.yaml', c.set || '', `--set seed=${seed}`, ...parts].filter(Boolean).join(' ') + (r.status === 'finished' ? '' : `   # ${r.status}`) + `   # ${r.file}`;
    }).join('\n')).join('\n');
    node.append(el('h3', {}, familyName(f)), el('details', {}, el('summary', {}, 'Commands'), el('pre', {tabindex: 0}, lines)),
                el('details', {}, el('summary', {}, `Resolved configuration of the ${f.configurations.length > 1 ? 'reference (' + referenceOf(f).name + ')' : 'model'}`), el('pre', {tabindex: 0}, f.yaml)));
  }
}

function failures() {
  const rows = data.failed.map((f) => [f.name, f.message]);
  for (const f of data.families)
    for (const c of f.configurations)
      for (const i of c.runs) {
        const r = data.runs[i];
        if (r.status !== 'finished') rows.push([`${plainName(f, c)}, seed ${r.repetition}`, `${r.status}${r.message ? ': ' + r.message : ''}`]);
      }
  if (rows.length)
    section('failed', 'Runs without figures', scroll('Runs without figures', table(plural(rows.length, 'run'), [{name: 'run', text: true}, {name: 'why', text: true}], rows, (r) => r), rows.length > 25 ? 'tall' : ''));
}

document.getElementById('stamps').append(...data.stamps.map((s) => el('p', {class: 'warning'}, ...stampsOf([s.name]), ' ' + s.text)));
for (const part of [headline, curves, axes, gap, configurations, models, wrong, differences, examples, source, again, failures]) part();
document.getElementById('contents').append(contents);
document.getElementById('foot').append('The same figures stand in the .csv and .md files beside this page.', ...(data.command ? [' Made again by ', el('code', {}, data.command)] : []));
