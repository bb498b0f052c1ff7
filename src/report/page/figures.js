// Test figures, findings and learning curves.
'use strict';

// ---- figures ----

function headline() {
  const rows = [];
  for (const f of data.families) {
    const c = selectedOf(f), several = f.configurations.length > 1;
    if (c)
      rows.push({
        f,
        c,
        role: !several ? '' : f.nested ? 'chosen in each split' : f.chosen === f.reference ? 'chosen and reference' : 'chosen'
      });
    if (known(f.reference) && (f.nested || f.chosen !== f.reference)) rows.push({f, c: referenceOf(f), role: 'reference'});
  }
  const severalData = data.families.some((f) => f.data !== data.families[0].data);
  const track = (t, guess) => el(
      'span', {class: 'track', 'aria-hidden': 'true'}, el('span', {class: 'guess', style: `left:${guess}%`}),
      el('span', {class: 'bar', style: `left:${100 * t.low}%;width:${100 * (t.high - t.low)}%`}),
      el('span', {class: 'dot', style: `left:${100 * t.clip.mean}%`}));
  const columns = [
    {name: 'model', text: true, class: 'wide'}, ...(severalData ? [{name: 'data', text: true}] : []),
    {name: 'clip accuracy'}, {name: '95% over clips, on 0 to 100%'}, {name: `over ${data.repetition}s (95%, t)`}, {name: 'segment accuracy'},
    {name: 'macro F1 (clips)'}, {name: 'parameters'}, {name: 'training'}, {name: 'per prediction'},
    {name: 'epochs (best)'}, {name: `${data.repetition}s`}
  ];
  const cells = ({f, c, role}) => {
    const t = c.test;
    const name = [
      ...familyName(f), role && el('span', {class: 'tag'}, role),
      c.name && el('span', {class: 'settings'}, c.name)
    ];
    return [
      name, ...(severalData ? [f.data] : []), t ? el('span', {class: 'big'}, percent(t.clip.mean)) : '–',
      t && known(t.low) ? [t.range, track(t, 100 * t.chance)] : '–',
      t && t.clip.n > 1 ?
          [plusMinus(t.clip), el('span', {class: 'small'}, `sd ${(100 * t.clip.sd).toFixed(1)}`)] :
          '–',
      t ? percent(t.segment.mean) : '–', t ? decimals(t.macro_f1.mean) : '–', whole(c.parameters),
      seconds(c.seconds), seconds(c.predict), `${decimals(c.epochs, 1)} (${decimals(c.best_epoch, 1)})`,
      c.diverged ? `${c.scored} (${c.diverged} diverged)` : c.scored
    ];
  };
  const several = rows.some((r) => r.c.test && r.c.test.bootstrap),
        single = rows.some((r) => r.c.test && !r.c.test.bootstrap);
  const texts =
      [`Clip accuracy is the mean over ${data.repetition}s; a clip’s probability is the mean over its segments. `];
  if (several)
    texts.push(
        '95% over clips: groups of clips (of an artist, speaker or other group, and copies) where they are known, else clips, are drawn with replacement, each with all its answers (one per clip and run that tested it), and the figure is right answers over answers; percentiles of 2000 draws. It answers how the figure would vary with other clips; where artists are not known, with other clips by such artists. ');
  if (single) texts.push('95% over clips, one run, groups not known: Wilson’s interval. ');
  if (data.interval)
    texts.push(
        data.interval + ' Beside it the standard deviation (sd). ');
  texts.push(
      'The dashed line is what always answering the commonest genre of the test part gets. Times are of the machine named below; a prediction is of one segment.');
  section(
      'figures', 'Test figures',
      scroll(
          'Test figures',
          table(
              data.caption, columns, rows, cells,
              {rowClass: ({f, c}) => (f.configurations.length > 1 && c === selectedOf(f) ? 'chosen' : null)})),
      baselines(), el('p', {}, data.selection), data.parting ? el('p', {}, data.parting) : '', note(...texts));
  section(
      'found', 'What was found', el('ul', {class: 'found'}, data.findings.map((text) => el('li', {}, text))));
}

const differenceColumns = [
  {name: 'difference, points (95% over repetitions)'}, {name: 'clips'}, {name: 'units for either'}, {name: 'p (signs, Holm)'},
  {name: 'smallest detectable, points'}, {name: 'verdict', text: true, class: 'word'}
];
const differenceCells = (c, tested = true) => [
  [signed(c.difference.mean), el('span', {class: 'small'}, c.interval)], c.clips,
  [`${c.first_better} : ${c.second_better}`, el('span', {class: 'small'}, `of ${c.units}`)],
  ...(tested ? [c.adjusted, c.detectable, c.verdict] : ['–', '–', 'not tested'])];

function baselines() {
  const rows = data.families.flatMap((f) => f.baselines.map((b) => ({f, b})));
  if (!rows.length) return '';
  return scroll(
      'Baselines',
      table(
          'Baselines on the mean and deviation over time of each coefficient, on the same clips; the difference is model minus baseline',
          [
            {name: 'model', text: true}, {name: 'baseline', text: true, class: 'word'}, {name: 'clip accuracy (95% over clips)'},
            {name: 'segment accuracy'}, {name: 'parameters'}, ...differenceColumns
          ],
          rows,
          ({f, b}) =>
              [familyName(f), b.name, [percent(b.test.clip.mean), el('span', {class: 'small'}, b.test.range)], percent(b.test.segment.mean), whole(b.parameters),
               ...differenceCells(b.lead, b.tested)]));
}

// ---- curves ----

function curves() {
  const node = section(
      'curves', 'Learning curves',
      note(
          `Training (dashed) and validation (solid), of segments: mean over ${data.repetition}s with a band of one standard deviation, over the runs that got as far as the epoch. ` +
          'Training accuracy is the running mean of the epoch with dropout on, and both losses include penalties, as Keras reports them. ' +
          'Circles: the epoch whose weights were kept; triangles: where a run stopped early.'));
  for (const f of data.families) {
    const start = known(f.chosen) ? f.chosen : f.reference || 0;
    let c = f.configurations[start], runs = [], band = true;
    const withHistory = () => c.runs.map((i) => data.runs[i]).filter((r) => r.loss.length);
    const accuracy =
        plotFigure('Accuracy', '', (t) => curveConfig(t, runs, band, 'accuracy', 'accuracy', true));
    const loss = plotFigure('Loss', '', (t) => curveConfig(t, runs, band, 'loss', 'loss', false));
    // Where a run of the family has them: the history knows them only where there is something to see.
    const ofFamily = f.configurations.flatMap((x) => x.runs.map((i) => data.runs[i]));
    const further = [['gradient_norm', 'Gradient norm'], ['learning_rate', 'Learning rate']]
                        .filter(([key]) => ofFamily.some((r) => r[key]))
                        .map(([key, title]) => ({
                          title,
                          figure: plotFigure(title, '', (t) => curveConfig(t, runs, band, key, title.toLowerCase(), false, true))
                        }));
    const shown = el('p', {class: 'print-only note'});
    const which = choose('runs', [], (k) => show(k));
    const show = (k) => {
      const all = withHistory();
      band = k === 0;
      runs = k < 2 ? all : [all[k - 2]];
      const what = `${plainName(f, c)}, ${which.select.options[k] ? which.select.options[k].text : ''}`;
      shown.textContent = what;
      accuracy.querySelector('canvas').setAttribute(
          'aria-label', 'Line chart of training and validation accuracy over epochs, ' + what);
      loss.querySelector('canvas').setAttribute(
          'aria-label', 'Line chart of training and validation loss over epochs, ' + what);
      for (const {title, figure} of further)
        figure.querySelector('canvas').setAttribute('aria-label', `Line chart of the ${title.toLowerCase()} over epochs, ${what}`);
      accuracy.redraw();
      loss.redraw();
      further.forEach(({figure}) => figure.redraw());
    };
    const pick = (k) => {
      c = f.configurations[k];
      const all = withHistory();
      which.select.replaceChildren(
          ...[`mean of ${plural(all.length, 'run')}`, 'all runs',
              ...all.map((r) => 'seed ' + r.repetition + (r.status === 'finished' ? '' : `, ${r.status}`))]
              .map((text, i) => el('option', {value: i}, text)));
      show(0);
    };
    const settings = choose(
        'configuration',
        f.configurations.map(
            (x, i) =>
                (x.name || f.name) + (i === f.chosen && f.configurations.length > 1 ? ' (chosen)' : '')),
        pick);
    settings.select.selectedIndex = start;
    node.append(
        el('h3', {}, familyName(f)),
        el('div', {class: 'controls'}, f.configurations.length > 1 ? settings.node : '', which.node), shown,
        el('div', {class: 'plots'}, accuracy, loss, ...further.map((x) => x.figure)));
    pick(start);
  }
}
