// The effects of settings, the generalisation gap, and the table of all configurations; all on validation.
'use strict';

// ---- axes ----

const figuresOfAxes = [
  {name: 'validation clip accuracy', of: (c) => c.clip, percent: true, best: Math.max},
  {name: 'validation loss', of: (c) => c.loss, percent: false, best: Math.min},
  {name: 'generalisation gap', of: (c) => c.gap, percent: true, best: Math.min}
];
const mean = (values) => (values.length ? values.reduce((a, b) => a + b, 0) / values.length : null);
const where = (f, test, figure) => f.configurations.filter(test).map((c) => figure.of(c).mean).filter(known);

// The mean over configurations. No whisker: what settings do is judged by matched differences, in the table below.
const pooled = (f, test, figure) => ({y: mean(where(f, test, figure)), error: null});

// The effect of each value of an axis against its first.
function effectsTable(f, axis) {
  const rows = axis.effects.filter((e) => e.pairs);
  if (!rows.length) return '';
  return scroll(
      `Matched differences of ${axis.key}`,
      table(
          `Matched differences: ${axis.name} against ${axis.texts[0]}, all else and the split alike`,
          [
            {name: axis.name}, {name: 'pairs of configurations'}, {name: 'clip accuracy, points'}, {name: '95% over repetitions'},
            {name: 'loss'}, {name: 'gap, points'}, {name: '95% over repetitions'}
          ],
          rows,
          (e) =>
              [axis.texts[e.value], e.pairs, signed(e.clip.mean), e.clip_interval,
               known(e.loss.mean) ? (e.loss.mean < 0 ? '−' : '+') + Math.abs(e.loss.mean).toFixed(3) : '–', signed(e.gap.mean),
               e.gap_interval]));
}

// Whether (nearly) every configuration has its own number on an axis, as where values are drawn at random.
const drawn = (f, axis) => axis.texts.length > 8 && 2 * axis.texts.length > f.configurations.length &&
    axis.texts.every((v) => Number.isFinite(Number(v)));

function axisPlot(f, x, figure, lineAxis) {
  const axis = f.axes[x], other = f.axes[lineAxis()];
  if (drawn(f, axis)) {
    const spots = f.configurations
                      .map((c) => ({x: Number(axis.texts[c.values[x]]), y: figure.of(c).mean, text: c.name}))
                      .filter((p) => known(p.y));
    return plotFigure(
        figure.name,
        `Scatter chart of ${figure.name} over ${axis.key} of ${
            plainName(f)}; the values stand in the table of all configurations`,
        (t) => spotsConfig(t, spots, axis.name, figure.name, figure.percent));
  }
  const lines = () => {
    const l = lineAxis();
    if (l < 0)
      return [{label: 'mean', values: axis.texts.map((_, v) => pooled(f, (c) => c.values[x] === v, figure))}];
    return f.axes[l].texts.map(
        (text, k) => ({
          label: `${f.axes[l].name} ${text}`,
          values: axis.texts.map((_, v) => pooled(f, (c) => c.values[x] === v && c.values[l] === k, figure))
        }));
  };
  return plotFigure(
      figure.name,
      `Line chart of ${figure.name} over ${axis.key} of ${plainName(f)}${
          other ? ', a line per ' + other.name : ''}; the values stand in the table of all configurations`,
      (t) => axisConfig(t, axis.texts, axis.name, lines(), figure.name, figure.percent));
}

function heatMap(f, x, y, figure) {
  const rows = f.axes[x], columns = f.axes[y];
  const at = rows.texts.map(
      (_, r) => columns.texts.map((_, k) => where(f, (c) => c.values[x] === r && c.values[y] === k, figure)));
  const means = at.map((row) => row.map(mean));
  const all = means.flat().filter(known);
  const low = Math.min(...all), high = Math.max(...all), best = figure.best(...all);
  const text = (v) => (!known(v) ? '–' : figure.percent ? percent(v) : v.toPrecision(4));
  return el(
      'table', {}, el('caption', {}, figure.name),
      el('thead', {},
         el('tr', {}, el('th', {scope: 'col', class: 'text'}, `${rows.name} \\ ${columns.name}`),
            columns.texts.map((t) => el('th', {scope: 'col', class: 'cell'}, t)))),
      el('tbody', {},
         rows.texts.map((t, r) => el('tr', {}, el('th', {scope: 'row'}, t), means[r].map((v, k) => {
                          const node = cell(
                              known(v) ? (high > low ? (v - low) / (high - low) : 0.5) : null, text(v),
                              v === best ? 'best' : '');
                          node.title = `${plural(at[r][k].length, 'configuration')}`;
                          return node;
                        })))));
}

function axes() {
  const swept = data.families.filter((f) => f.axes.length && f.configurations.length > 1);
  if (!swept.length) return;
  const node = section(
      'axes', 'What each setting does',
      note(
          'Of the validation part. Each point is the mean over all configurations with the value, whatever their other settings. ' +
          'The tables pair configurations that differ in this setting alone, on the same split; the differences of a repetition are averaged, and their mean has the interval over repetitions explained above. Where that holds zero, chance alone can make the difference. ' +
          'Validation loss is without penalties; the gap is training minus validation accuracy (segments).'));
  for (const f of swept) {
    f.axes.forEach((axis, x) => {
      const others = f.axes.map((_, i) => i).filter((i) => i !== x);
      let line = others.length && f.axes[others[0]].texts.length <= 8 ? others[0] : -1;
      const figures = figuresOfAxes.slice(0, 2).map((figure) => axisPlot(f, x, figure, () => line));
      const lines = choose('a line per', ['(mean of all)', ...others.map((i) => f.axes[i].key)], (k) => {
        line = k ? others[k - 1] : -1;
        figures.forEach((p) => p.redraw());
      });
      lines.select.selectedIndex = line < 0 ? 0 : 1;
      node.append(
          el('h3', {}, familyName(f), ': ', axis.key),
          others.length && !drawn(f, axis) ? el('div', {class: 'controls'}, lines.node) : '',
          el('div', {class: 'plots'}, figures), effectsTable(f, axis));
    });
    const pairs = f.axes.flatMap((_, x) => f.axes.map((_, y) => [x, y]))
                      .filter(([x, y]) => x < y && !drawn(f, f.axes[x]) && !drawn(f, f.axes[y]));
    if (!pairs.length) continue;
    let boxes = [];
    const fill = (k) =>
        pairs.forEach(([x, y], i) => boxes[i].replaceChildren(heatMap(f, x, y, figuresOfAxes[k])));
    boxes = pairs.map(([x, y]) => scroll(`Heat map of ${f.axes[x].key} and ${f.axes[y].key}`, '', 'cells'));
    fill(0);
    node.append(
        el('h3', {}, familyName(f), ': pairs of settings'),
        note('Means over everything else; outlined: the best.'),
        el('div', {class: 'controls'}, choose('figure', figuresOfAxes.map((g) => g.name), fill).node),
        el('div', {class: 'side'}, boxes));
  }
}

function gap() {
  const groups = data.families
                     .map((f) => ({
                            label: plainName(f),
                            points: f.configurations.filter((c) => known(c.gap.mean) && known(c.clip.mean))
                                        .map((c) => ({x: c.gap.mean, y: c.clip.mean, text: c.name || f.name}))
                          }))
                     .filter((g) => g.points.length);
  if (groups.reduce((n, g) => n + g.points.length, 0) < 2) return;
  const figures = [plotFigure(
      'Each point is a configuration',
      'Scatter chart of validation clip accuracy against the generalisation gap; the values stand in the table of all configurations',
      (t) =>
          scatterConfig(t, groups, 'gap: training minus validation accuracy', 'validation clip accuracy'))];
  for (const f of data.families)
    f.axes.forEach((axis, x) => {
      if (!/^regularisation\.|regulariser|dropout|smoothing|decay/.test(axis.key)) return;
      const others = f.axes.map((_, i) => i).filter((i) => i !== x && f.axes[i].texts.length <= 8);
      const p = axisPlot(f, x, figuresOfAxes[2], () => (others.length ? others[0] : -1));
      p.caption.replaceChildren(...familyName(f), `: gap over ${axis.key}`);
      figures.push(p);
    });
  section(
      'gap', 'Generalisation gap',
      note(
          'How much better a model does on what it was trained on: training minus validation accuracy (segments), both with the kept weights. ' +
          (data.families.every((f) => f.configurations.every((c) => c.measured || !c.scored)) ?
               'Training accuracy is measured once more at the end, with dropout off. ' :
               'Results of earlier versions have training accuracy as the epoch ran, with dropout on, which lowers it. ')),
      el('div', {class: 'plots'}, figures));
}

// ---- all configurations ----

function configurations() {
  const keys = [...new Set(data.families.flatMap((f) => f.axes.map((a) => a.key)))];
  const rows = data.families.flatMap(
      (f) => f.configurations.map((c, i) => ({
        f,
        c,
        chosen: i === f.chosen,
        reference: i === f.reference,
        splits: (f.choices || []).filter((x) => x.configuration === i).length
      })));
  const setting = (row, key) => {
    const i = row.f.axes.findIndex((a) => a.key === key);
    return i < 0 ? [null, '–'] : [row.c.values[i], row.f.axes[i].texts[row.c.values[i]]];
  };
  const number = (name, of, highFirst, text) =>
      ({name, value: (r) => of(r.c), highFirst, text: false, show: (r) => text(of(r.c), r)});
  const figures = [
    number('clip accuracy', (c) => c.clip.mean, true, (v, r) => plusMinus(r.c.clip)),
    number('segment accuracy', (c) => c.segment.mean, true, (v) => percent(v)),
    number('macro F1', (c) => c.macro_f1.mean, true, (v) => decimals(v)),
    number('loss', (c) => c.loss.mean, false, (v) => decimals(v)),
    number('train accuracy', (c) => c.train.mean, true, (v) => percent(v)),
    number('gap, points', (c) => c.gap.mean, false, (v) => signed(v)),
    number(
        'minus reference, points', (c) => c.difference.mean, true,
        (v, {c, reference}) => {
          if (reference) return '';
          const {low, high} = c.difference;
          return known(low) ? `${signed(v)} (${signed(low)} to ${signed(high)})` : signed(v);
        }),
    number('epochs', (c) => c.epochs, false, (v) => decimals(v, 1)),
    number('best epoch', (c) => c.best_epoch, false, (v) => decimals(v, 1)),
    number('parameters', (c) => c.parameters, false, whole),
    number('training', (c) => c.seconds, false, seconds),
    number(
        `${data.repetition}s`, (c) => c.scored, true,
        (v, r) => v + (r.c.diverged ? ` (${r.c.diverged} diverged)` : '') +
            (r.c.unfinished ? ` (${r.c.unfinished} unfinished)` : ''))
  ];
  const names = keys.map((k) => {
    const f = data.families.find((g) => g.axes.some((a) => a.key === k));
    return f.axes.find((a) => a.key === k).name;
  });
  const columns = [
    {name: 'model', text: true, value: (r) => r.f.name},
    ...keys.map((key, i) => ({name: names[i], value: (r) => setting(r, key)[0]})), ...figures
  ];
  const cells = (r) => [
      [
        ...familyName(r.f),
        r.f.configurations.length > 1 && (r.f.nested ? r.splits : r.chosen) ?
            el('span', {class: 'tag'}, r.f.nested ? `chosen in ${r.splits} of ${r.f.choices.length} splits` : 'chosen') :
            '',
        r.reference && r.f.configurations.length > 1 ? el('span', {class: 'tag'}, 'reference') : ''
      ],
      ...keys.map((k) => setting(r, k)[1]), ...figures.map((g) => g.show(r))];
  const node = section(
      'configurations', 'All configurations, on validation',
      note(
          `Means over ${data.repetition}s; ± is half of the 95% interval explained under “Test figures”. “Minus reference” pairs the ${data.repetition}s of a configuration with those of its model’s reference (the same interval, of the mean difference, not corrected for the number of configurations). The chosen one’s figure is flattered by having been chosen as the best of many. ` +
          'The headings sort.'),
      scroll(
          'All configurations', table('Validation figures', columns, rows, cells, {
            sortable: true,
            rowClass: (r) => (r.chosen && r.f.configurations.length > 1 ? 'chosen' : null)
          }),
          rows.length > 25 ? 'tall' : ''));
  if (columns.length > 13) node.classList.add('sideways');  // on paper
}
