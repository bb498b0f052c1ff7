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
    const c = selectedOf(f), d = f.detail;
    if (!c || !c.test || !d) continue;
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
    const over = c.test.clip.n > 1 ? `clips, summed over ${c.test.clip.n} ${data.repetition}s` : 'clips';
    const what = d.clips.bins.filter((b) => b[2])
                     .map((b) => `confidence ${percent(b[3])}: accuracy ${percent(b[4])}`)
                     .join('; ');
    const node = section(
        'model-' + i, 'Test: ' + f.name,
        c.name ? el('p', {}, (f.nested ? 'Chosen by each split: ' : 'The chosen configuration: ') + c.name + '.') : '',
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
                  ['Reliability of clip probabilities', ...stampsOf(f.stamps)],
                  `Reliability diagram of ${f.name}. ${what}`, (t) => reliabilityConfig(t, d.clips.bins), 'square'),
              note(...['clips', 'segments'].map(
                       (part) => `Of ${part}: expected calibration error ${decimals(d[part].ece)}, of which a perfectly calibrated model would show ${decimals(d[part].null)} on so few; Brier score ${decimals(d[part].brier)}. `),
                   'Means over runs, 15 bins of confidence. The diagram is of all runs together, where errors of several can cancel; a point’s size says how many clips it stands for. Below the diagonal the model is surer than it is right.'))));
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
  const within = data.families.filter((f) => f.against_reference);
  if (!data.comparisons.length && !within.length) return;
  const node = section('differences', 'Differences on the test clips');
  if (data.comparisons.length)
    node.append(scroll(
        'Differences between models',
        table(
            'Between what was chosen of the models: first minus second',
            [{name: 'first', text: true}, {name: 'second', text: true}, ...differenceColumns], data.comparisons,
            (c) =>
                [familyName(data.families[c.first]), familyName(data.families[c.second]),
                 ...(c.not_compared ? ['–', '–', '–', '–', '–', 'not compared: ' + c.not_compared] :
                                      differenceCells(c))])));
  if (within.length)
    node.append(scroll(
        'Differences to the reference',
        table(
            'Within a model: chosen minus reference, on the test clips',
            [{name: 'model', text: true}, {name: 'chosen', text: true}, {name: 'reference', text: true}, ...differenceColumns],
            within,
            (f) =>
                [familyName(f), selectedOf(f).name, referenceOf(f).name, ...differenceCells(f.against_reference)])));
  node.append(note(
      'Differences are paired: over the repetitions in which both were tested on the same clips. The test is by signs: of each unit (the clips of an artist, speaker or other group where those are known, else a fold of a cross-validation, else a clip) the right answers of the first minus those of the second are summed over clips and repetitions, and the sum of all is set against those with random signs; two-sided, of one repetition by clips McNemar’s exact test. ' +
      `Holm: corrected for all ${data.tests} tests of this report, baselines and references included. Better or worse is said where that p is below 0.05 and the interval over repetitions leaves out zero. Smallest detectable: the difference that is found in four of five such studies; none: so few units cannot give such a p.`));
}
