// The chosen configurations on the test part.
'use strict';

function confusionTable(caption, labels, confusion, normalised) {
  const n = labels.length, most = Math.max(1, ...confusion);
  return el(
      'table', {}, el('caption', {}, caption),
      el('thead', {},
         el('tr', {}, el('th', {scope: 'col', class: 'text'}, 'true \\ taken for'),
            labels.map((l) => el('th', {scope: 'col', class: 'cell'}, el('span', {class: 'name'}, l))))),
      el('tbody', {}, labels.map((label, r) => {
        const row = confusion.slice(r * n, (r + 1) * n), sum = row.reduce((a, b) => a + b, 0);
        return el('tr', {}, el('th', {scope: 'row'}, label), row.map((v, k) => {
          const part = normalised ? (sum ? v / sum : 0) : v / most;
          return cell(
              v ? part : null,
              v === 0        ? '·' :
                  normalised ? (100 * v / sum).toFixed(0) + '%' :
                               v,
              k === r ? '' : 'off');
        }));
      })));
}

function models() {
  for (const [i, f] of data.families.entries()) {
    const c = chosenOf(f), d = f.detail;
    if (!c || !d) continue;
    const rows =
        f.labels.map((label, k) => ({
                          label,
                          k,
                          clips: d.confusion.slice(k * f.labels.length, (k + 1) * f.labels.length)
                                     .reduce((a, b) => a + b, 0)
                        }));
    const genres = table(
        'Per genre, of clips',
        [{name: 'genre', text: true}, {name: 'clips'}, {name: 'precision'}, {name: 'recall'}, {name: 'F1'}],
        rows,
        (r) => [r.label, r.clips, decimals(d.precision[r.k]), decimals(d.recall[r.k]), decimals(d.f1[r.k])]);
    const over = c.test.clip.n > 1 ? `clips, summed over ${c.test.clip.n} seeds` : 'clips';
    const what = d.bins.filter((b) => b[2])
                     .map((b) => `confidence ${percent(b[3])}: accuracy ${percent(b[4])}`)
                     .join('; ');
    const node = section(
        'model-' + i, 'Test: ' + f.name,
        c.name ? el('p', {}, 'The chosen configuration: ' + c.name + '.') : '',
        el('div', {class: 'side'},
           scroll(
               `Confusion matrix of ${f.name}`,
               confusionTable([`Confusion, ${over}`, ...stampsOf(f.stamps)], f.labels, d.confusion, false),
               'cells upright'),
           scroll(
               `Normalised confusion matrix of ${f.name}`,
               confusionTable(['Share of each true genre', ...stampsOf(f.stamps)], f.labels, d.confusion, true),
               'cells upright')),
        el('div', {class: 'side'}, scroll(`Precision, recall and F1 of ${f.name}`, genres),
           el('div', {style: 'flex:1 1 20rem'},
              plotFigure(
                  ['Reliability of segment probabilities', ...stampsOf(f.stamps)],
                  `Reliability diagram of ${f.name}. ${what}`, (t) => reliabilityConfig(t, d.bins), 'square'),
              note(`Expected calibration error ${
                  decimals(
                      d.ece)} (15 bins of confidence; a point’s size says how many segments it stands for). Below the diagonal the model is surer than it is right.`))));
    node.querySelector('h2').append(...stampsOf(f.stamps));
  }
}

function wrong() {
  const w = data.wrong, families = w.families.map((i) => data.families[i]);
  if (!families.length) return;
  const counted = (predictions) => {
    const counts = new Map();
    predictions.forEach((p) => counts.set(p, (counts.get(p) || 0) + 1));
    return [...counts]
        .sort((a, b) => b[1] - a[1])
        .map(([p, n]) => families[0].labels[p] + (predictions.length > 1 ? ` ×${n}` : ''))
        .join(', ');
  };
  const intro =
      `Of the ${plural(w.tested, 'clip')} that ${
          families.length > 1 ? 'every chosen configuration was' :
                                'the chosen configuration was'} tested on, ` +
      `${w.clips.length} were never taken for what they are labelled. ${
          families.length < data.families.length ? 'Models whose split leaks, or of other data, are left out. ' : ''}` +
      'Such clips are worth a listen: they may be mislabelled, or lie between genres.';
  const node = section(
      'wrong',
      families.length > 1 ? 'Clips that every model gets wrong' : 'Clips that are always taken wrong',
      el('p', {}, intro));
  if (w.clips.length)
    node.append(scroll(
        'Clips',
        table(
            '',
            [
              {name: 'clip', text: true}, {name: 'true genre', text: true},
              ...families.map((f) => ({name: ['by ', ...familyName(f)], text: true}))
            ],
            w.clips, (x) => [x.path, families[0].labels[x.label], ...x.taken.map(counted)]),
        w.clips.length > 25 ? 'tall' : ''));
}

function differences() {
  const within = data.families.filter((f) => f.test_difference);
  if (!data.comparisons.length && !within.length) return;
  const node = section('differences', 'Differences on the test clips');
  const interval = (s) => (known(s.low) ? `${signed(s.low)} to ${signed(s.high)}` : '–');
  if (data.comparisons.length)
    node.append(scroll(
        'Differences between models',
        table(
            'Between the chosen configurations of the models',
            [
              {name: 'first', text: true}, {name: 'second', text: true}, {name: 'first minus second, points'},
              {name: '95% over seeds'}, {name: 'clips'}, {name: 'better for first'},
              {name: 'better for second'}, {name: 'p (exact)'}, {name: 'p (Holm)'}, {name: '', text: true}
            ],
            data.comparisons,
            (c) =>
                [familyName(data.families[c.first]), familyName(data.families[c.second]),
                 ...(c.not_compared ?
                         ['–', '–', '–', '–', '–', '–', '–', 'not compared: ' + c.not_compared] :
                         [
                           signed(c.difference.mean), interval(c.difference), c.clips, c.first_better,
                           c.second_better, c.p.toPrecision(3), c.adjusted.toPrecision(3),
                           c.adjusted < 0.05 ? 'differ' : 'cannot be told apart'
                         ])])));
  if (within.length)
    node.append(scroll(
        'Differences to the reference',
        table(
            'Within a model: chosen minus reference, on the test clips',
            [
              {name: 'model', text: true}, {name: 'chosen', text: true}, {name: 'reference', text: true},
              {name: 'difference, points'}, {name: '95% over seeds'}, {name: 'p (exact)'}
            ],
            within,
            (f) =>
                [familyName(f), chosenOf(f).name, referenceOf(f).name, signed(f.test_difference.mean),
                 interval(f.test_difference), f.test_p.toPrecision(3)])));
  node.append(note(
      'Differences are paired: over the seeds in which both were tested on the same clips. The exact test is over clips: a clip counts for the model that got it right in more of these seeds, for none where they are even (with one seed: McNemar’s test); two-sided. ' +
      'Holm: corrected for the number of pairs of models.'));
}
