// Where the figures come from, and the page as a whole.
'use strict';

function examples() {
  if (!data.examples.length) return;
  section(
      'examples', 'What the models see', el('div', {class: 'examples'}, data.examples.map((p) => {
        const svg = /^<svg[^>]*\sxmlns=/.test(p.svg) ?
            p.svg :
            p.svg.replace('<svg', '<svg xmlns="http://www.w3.org/2000/svg"');
        return el(
            'figure', {},
            el('figcaption', {class: p.svg.includes(`>${p.title}<`) ? 'unseen' : null}, p.title),
            el('img',
               {src: 'data:image/svg+xml;charset=utf-8,' + encodeURIComponent(svg), alt: p.alt || p.title}));
      })));
}

function source() {
  const node = section('source', 'Data and split');
  node.append(scroll(
      'Splits',
      table(
          'Segments of each part; a seed or fold has its own split unless the configuration says otherwise',
          [
            {name: 'seed', text: true}, {name: 'models', text: true}, {name: 'runs'}, {name: 'train'},
            {name: 'validation'}, {name: 'test'}, {name: 'test clips also in train'},
            {name: 'test clips with a copy in train'}, {name: 'test clips whose artist is in train'}
          ],
          data.splits,
          ({split: s, models, runs}) => [
              [s.repetition, ...stampsOf(s.stamps)], models.join(', '), runs, ...s.sizes.map(whole),
              percent(s.clip_share), known(s.related_share) ? percent(s.related_share) : 'unknown',
              known(s.artist_share) ? percent(s.artist_share) : 'unknown']),
      data.splits.length > 25 ? 'tall' : ''));
  const pairs = [...new Map(data.splits.flatMap(({split: s}) => s.related.map((r) => [`${r[0]}|${r[2]}`, r]))).values()];
  const all = Math.max(0, ...data.splits.map(({split: s}) => s.pairs));
  if (pairs.length)
    node.append(scroll(
        'Copies and near duplicates',
        table(
            `Copies and near duplicates among the clips${all > pairs.length ? `, ${pairs.length} of ${all} pairs` : ''}; parts as the first split has them`,
            [
              {name: 'clip', text: true}, {name: 'in', text: true}, {name: 'and', text: true}, {name: 'in', text: true},
              {name: 'relation', text: true}, {name: 'bits that differ'}, {name: 'offset, s'}
            ],
            pairs, ([a, pa, b, pb, relation, rate, offset]) => [a, pa || 'no part', b, pb || 'no part', relation, percent(rate), offset]),
        pairs.length > 25 ? 'tall' : ''));
  const notes = [...new Set(data.splits.flatMap(
      ({split}) => split.notes.map(([name, text]) => (/^note\d+$/.test(name) ? text : `${name}: ${text}`))))];
  if (notes.length)
    node.append(
        el('details', {}, el('summary', {}, plural(notes.length, 'note') + ' on the splits'),
           el('ul', {}, notes.map((t) => el('li', {}, t)))));
  node.append(el('h3', {}, 'Genres'), ...[...new Set(data.families.map((f) => f.labels.join(', ')))].map((t) => el('p', {}, t)), el('h3', {}, 'Bad files'));
  if (!data.bad_files.length)
    node.append(el('p', {}, 'None: every file could be read.'));
  else
    node.append(scroll(
        'Bad files',
        table('Skipped', [{name: 'file', text: true}, {name: 'why', text: true}], data.bad_files, (b) => b),
        data.bad_files.length > 25 ? 'tall' : ''));
  section(
      'machine', 'Machine and versions',
      el('dl', {},
         data.environment.flatMap(
             ([name, values]) =>
                 [el('dt', {}, name),
                  el('dd', {},
                     values.map(([v, n]) => (values.length > 1 ? `${v} (${plural(n, 'run')})` : v))
                         .join('; '))])));
}

function again() {
  const node = section(
      'again', 'How to run each again',
      note(
          'Save the resolved configuration of a model as NAME.yaml; each line then runs one of its configurations. ',
          el('code', {}, 'inspect RESULT --config'), ' prints the one of any result.'));
  for (const f of data.families) {
    const lines =
        f.configurations
            .map(
                (c) => c.runs
                           .map((i) => {
                             const r = data.runs[i], [seed, ...rest] = r.repetition.split(', ');
                             const parts = rest.map(
                                 (t) => t.replace(/^fold /, '--set split.fold=')
                                            .replace(/^split /, '--set split.seed='));
                             return ['run_experiment NAME.yaml', c.set || '', `--set seed=${seed}`, ...parts]
                                        .filter(Boolean)
                                        .join(' ') +
                                 (r.status === 'finished' ? '' : `   # ${r.status}`) + `   # ${r.file}`;
                           })
                           .join('\n'))
            .join('\n');
    node.append(
        el('h3', {}, familyName(f)),
        el('details', {}, el('summary', {}, 'Commands'), el('pre', {tabindex: 0}, lines)),
        el('details', {},
           el('summary', {},
              `Resolved configuration of the ${
                  f.configurations.length < 2 ? 'model' :
                       referenceOf(f)        ? `reference (${referenceOf(f).name})` :
                                               `first configuration (${f.configurations[0].name})`}`),
           el('pre', {tabindex: 0}, f.yaml)));
  }
}

function failures() {
  const rows = data.failed.map((f) => [f.name, f.message]);
  for (const file of data.copies) rows.push([file, 'the same run as another one here; counted once']);
  for (const f of data.families)
    for (const c of f.configurations)
      for (const i of c.runs) {
        const r = data.runs[i];
        if (r.status !== 'finished')
          rows.push([
            `${plainName(f, c)}, seed ${r.repetition}`, `${r.status}${r.message ? ': ' + r.message : ''}`
          ]);
      }
  if (rows.length)
    section(
        'failed', 'Runs without figures',
        scroll(
            'Runs without figures',
            table(
                plural(rows.length, 'run'), [{name: 'run', text: true}, {name: 'why', text: true}], rows,
                (r) => r),
            rows.length > 25 ? 'tall' : ''));
}

document.getElementById('stamps').append(
    ...data.stamps.map((s) => el('p', {class: 'warning'}, ...stampsOf([s.name]), ' ' + s.text)));
for (const part
         of [headline, curves, axes, gap, configurations, models, wrong, differences, examples, source, again,
             failures])
  part();
document.getElementById('contents').append(contents);
document.getElementById('foot').append(
    'The same figures stand in the .csv and .md files beside this page.',
    ...(data.command ? [' Made again by ', el('code', {}, data.command)] : []));
