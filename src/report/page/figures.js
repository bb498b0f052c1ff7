// Test figures, findings and learning curves.
'use strict';

// ---- figures ----

function headline() {
  const rows = [];
  for (const f of data.families) {
    const chosen = chosenOf(f);
    if (chosen)
      rows.push({
        f,
        c: chosen,
        role: f.configurations.length > 1 ? (f.chosen === f.reference ? 'chosen and reference' : 'chosen') :
                                            ''
      });
    if (known(f.reference) && f.chosen !== f.reference) rows.push({f, c: referenceOf(f), role: 'reference'});
  }
  const track = (t, guess) => el(
      'span', {class: 'track', 'aria-hidden': 'true'}, el('span', {class: 'guess', style: `left:${guess}%`}),
      el('span', {class: 'bar', style: `left:${100 * t.low}%;width:${100 * (t.high - t.low)}%`}),
      el('span', {class: 'dot', style: `left:${100 * t.clip.mean}%`}));
  const columns = [
    {name: 'model', text: true, class: 'wide'}, {name: 'clip accuracy'},
    {name: '95% over clips, on 0 to 100%'}, {name: 'over seeds (95%, t)'}, {name: 'segment accuracy'},
    {name: 'macro F1 (clips)'}, {name: 'parameters'}, {name: 'training'}, {name: 'per prediction'},
    {name: 'epochs (best)'}, {name: 'seeds'}
  ];
  const cells = ({f, c, role}) => {
    const t = c.test;
    const name = [
      ...familyName(f), role && el('span', {class: 'tag'}, role),
      c.name && el('span', {class: 'settings'}, c.name)
    ];
    return [
      name, t ? el('span', {class: 'big'}, percent(t.clip.mean)) : '–',
      t ? [`${(100 * t.low).toFixed(1)} to ${percent(t.high)}`, track(t, 100 / f.labels.length)] : '–',
      t && known(t.clip.low) ?
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
      ['Clip accuracy is the mean over seeds; a clip’s probability is the mean over its segments. '];
  if (several)
    texts.push(
        '95% over clips, several seeds: clips are drawn with replacement, each with all its answers (one per seed that tested it), and the figure is right answers over answers; percentiles of 2000 draws. It answers how the figure would vary with other clips. ');
  if (single) texts.push('95% over clips, one seed: Wilson’s interval. ');
  if (data.interval)
    texts.push(
        data.interval + ' Beside it the standard deviation (sd). Two repetitions make an interval of 18 standard deviations or more. ');
  texts.push(
      'The dashed line is guessing. Times are of the machine named below; a prediction is of one segment.');
  section(
      'figures', 'Test figures',
      scroll(
          'Test figures',
          table(
              'Clips of the test part, which took no part in training or selection.', columns, rows, cells,
              {rowClass: ({f, c}) => (f.configurations.length > 1 && c === chosenOf(f) ? 'chosen' : null)})),
      el('p', {}, data.selection), data.parting ? el('p', {}, data.parting) : '', note(...texts));
  section(
      'found', 'What was found', el('ul', {class: 'found'}, data.findings.map((text) => el('li', {}, text))));
}

// ---- curves ----

function curves() {
  const node = section(
      'curves', 'Learning curves',
      note(
          'Training (dashed) and validation (solid), of segments: mean over seeds with a band of one standard deviation, over the runs that got as far as the epoch. ' +
          'Training accuracy is the running mean of the epoch with dropout on, and both losses include penalties, as Keras reports them. ' +
          'Circles: the epoch whose weights were kept; triangles: where a run stopped early.'));
  for (const f of data.families) {
    const start = known(f.chosen) ? f.chosen : f.reference || 0;
    let c = f.configurations[start], runs = [], band = true;
    const withHistory = () => c.runs.map((i) => data.runs[i]).filter((r) => r.loss.length);
    const accuracy =
        plotFigure('Accuracy', '', (t) => curveConfig(t, runs, band, 'accuracy', 'accuracy', true));
    const loss = plotFigure('Loss', '', (t) => curveConfig(t, runs, band, 'loss', 'loss', false));
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
      accuracy.redraw();
      loss.redraw();
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
        el('div', {class: 'plots'}, accuracy, loss));
    pick(start);
  }
}
