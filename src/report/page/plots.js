// Chart.js's configuration for each kind of chart; t is the theme.
'use strict';

// Mean and standard deviation over runs at each epoch, of the runs that got so far.
function overRuns(columns) {
  const out = [];
  for (let e = 0; e < Math.max(0, ...columns.map((c) => c.length)); ++e) {
    const values = columns.map((c) => c[e]).filter((v) => v !== undefined && v !== null);
    if (!values.length) continue;
    const mean = values.reduce((a, b) => a + b, 0) / values.length;
    const sd = values.length > 1 ?
        Math.sqrt(values.reduce((a, b) => a + (b - mean) ** 2, 0) / (values.length - 1)) :
        0;
    out.push({x: e + 1, mean, sd, n: values.length});
  }
  return out;
}

// Curves of training and validation, or of one column alone. runs: of data.runs; band: mean and deviation instead of every run.
function curveConfig(t, runs, band, key, label, percent, alone) {
  const sets = [], marked = alone ? key : 'val_' + key;
  runs = runs.filter((r) => r[key]);
  (alone ? [[label, key, 1]] : [['training', key, 0], ['validation', marked, 1]]).forEach(([name, column, i]) => {
    const colour = t.series[i];
    const line = {
      borderColor: colour,
      backgroundColor: colour,
      borderWidth: 2,
      borderDash: i ? [] : [6, 4],
      pointRadius: 0,
      pointHitRadius: 6
    };
    if (band) {
      const over = overRuns(runs.map((r) => r[column]));
      const edge = {
        borderWidth: 0,
        pointRadius: 0,
        pointHitRadius: 0,
        helper: true,
        backgroundColor: faint(colour, 0.18)
      };
      if (runs.length > 1) {
        sets.push({...edge, label: '', data: over.map((p) => ({x: p.x, y: p.mean - p.sd}))});
        sets.push({...edge, label: '', data: over.map((p) => ({x: p.x, y: p.mean + p.sd})), fill: '-1'});
      }
      sets.push({...line, label: name, data: over.map((p) => ({x: p.x, y: p.mean}))});
    } else {
      runs.forEach((r, k) => sets.push({
        ...line,
        label: k ? '' : name,
        helper: k > 0,
        borderWidth: runs.length > 1 ? 1.3 : 2,
        data: r[column].map((y, e) => ({x: e + 1, y}))
      }));
    }
  });
  const marks = (label, style, where) => {
    const data = runs.map((r) => [r, where(r)])
                     .filter(([r, e]) => e > 0 && r[marked][e - 1] != null)
                     .map(([r, e]) => ({x: e, y: r[marked][e - 1]}));
    if (data.length)
      sets.push({
        label,
        data,
        showLine: false,
        pointStyle: style,
        pointRadius: 5.5,
        borderColor: t.ink,
        borderWidth: 1.6,
        backgroundColor: t.paper,
        order: -1
      });
  };
  marks('kept epoch', 'circle', (r) => r.kept || r.best);
  marks('stopped early', 'triangle', (r) => (r.stopped ? r.val_accuracy.length : 0));
  const x = {type: 'linear', text: 'epoch', min: 1, ticks: {precision: 0}};
  const y = {
    text: label,
    ticks: percent ? percentTicks : {},
    afterDataLimits: (s) => {
      if (percent) s.max = Math.min(1, s.max);
      s.min = Math.max(0, s.min);  // neither an accuracy nor a loss is below zero
    }
  };
  return {
    type: 'line',
    data: {datasets: sets},
    options: {
      scales: scales(t, x, y),
      interaction: {mode: 'nearest', intersect: false},
      plugins: {
        legend: legend(t, (item, d) => !d.datasets[item.datasetIndex].helper),
        filler: {propagate: false},
        tooltip: {
          filter: (item) => !item.dataset.helper,
          callbacks: {
            title: (items) => items.length ? 'epoch ' + items[0].parsed.x : '',
            label: (i) => `${i.dataset.label}: ${
                percent ? (100 * i.parsed.y).toFixed(1) + '%' : i.parsed.y.toPrecision(4)}`
          }
        }
      }
    }
  };
}

// Where numbers lie on an axis: by their logarithms where the positive ones span more than 50 times, and what is not
// positive (0, off) then stands to the left of them. null: values are no numbers.
function placesOf(texts) {
  const numbers = texts.map((v) => (v === 'off' ? 0 : Number(v)));
  if (!numbers.every(Number.isFinite)) return null;
  const positive = numbers.filter((v) => v > 0);
  const log = positive.length > 1 && numbers.every((v) => v >= 0) && Math.max(...positive) > 50 * Math.min(...positive);
  if (!log) return {log, at: numbers};
  const logs = positive.map(Math.log10), first = Math.min(...logs),
        gap = Math.max(0.3, (Math.max(...logs) - first) / Math.max(3, positive.length));
  return {log, at: numbers.map((v) => (v > 0 ? Math.log10(v) : first - gap))};
}

// A linear axis with ticks at given places.
function tickedAxis(name, at, texts) {
  const low = Math.min(...at), high = Math.max(...at), room = 0.06 * (high - low || 1);
  return {
    text: name,
    type: 'linear',
    min: low - room,
    max: high + room,
    afterBuildTicks: (axis) => {
      axis.ticks = [...new Set(at)].map((value) => ({value}));
    },
    ticks: {autoSkip: true, callback: (v) => texts[at.indexOf(v)] || ''}
  };
}
// A loss is not negative, and an accuracy lies in 0..1, even where all values are equal and the axis makes room around them.
const withinReason = (label, percent) => (s) => {
  const share = percent && !label.includes('gap');
  if (!percent || share) s.min = Math.max(0, s.min);
  if (share) s.max = Math.min(1, s.max);
};

// Lines over the values of one axis. lines: [{label, values: [{y}]}]; y may be null.
function axisConfig(t, texts, name, lines, label, percent) {
  const places = placesOf(texts);
  return {
    type: 'line',
    data: {
      labels: places && places.log ? undefined : texts,
      datasets: lines.map((l, i) => ({
                            label: l.label,
                            data: places && places.log ?
                                l.values.map((v, k) => ({x: places.at[k], y: v.y})) :
                                l.values.map((v) => v.y),
                            spanGaps: true,
                            borderColor: t.series[i % t.series.length],
                            backgroundColor: t.series[i % t.series.length],
                            borderDash: dashes[Math.floor(i / t.series.length) % dashes.length],
                            borderWidth: 2,
                            pointStyle: points[i % points.length],
                            pointRadius: 4.5,
                            pointHitRadius: 8
                          }))
    },
    options: {
      scales: scales(
          t, places && places.log ? tickedAxis(name, places.at, texts) : {text: name, offset: true},
          {text: label, ticks: percent ? percentTicks : {}, afterDataLimits: withinReason(label, percent)}),
      plugins: {
        legend: {...legend(t), display: lines.length > 1},
        tooltip: {
          callbacks: {
            title: (items) => (items.length ? `${name} ${texts[items[0].dataIndex]}` : ''),
            label: (i) => `${i.dataset.label}: ${percent ? (100 * i.parsed.y).toFixed(1) + '%' : i.parsed.y.toPrecision(4)}`
          }
        }
      }
    }
  };
}

// A figure over an axis of which nearly every configuration has a value of its own; spots: [{x, y, text}].
function spotsConfig(t, spots, name, label, percent) {
  const places = placesOf(spots.map((p) => String(p.x)));
  let axis = {text: name, type: 'linear'};
  if (places && places.log) {
    // Decades, and what is not positive at the left.
    const zero = spots.findIndex((p) => p.x <= 0), logs = places.at.filter((_, i) => spots[i].x > 0);
    const decades = [];
    for (let d = Math.ceil(Math.min(...logs)); d <= Math.max(...logs); ++d) decades.push(d);
    axis = tickedAxis(
        name, [...(zero < 0 ? [] : [places.at[zero]]), ...decades],
        [...(zero < 0 ? [] : ['0']), ...decades.map((d) => '1e' + d)]);
    const room = 0.06 * (Math.max(...places.at) - Math.min(...places.at));
    axis.min = Math.min(...places.at) - room, axis.max = Math.max(...places.at) + room;
  }
  return {
    type: 'scatter',
    data: {
      datasets: [{
        label,
        data: spots.map((p, i) => ({...p, x: places && places.log ? places.at[i] : p.x})),
        backgroundColor: faint(t.series[0], 0.7),
        borderColor: t.series[0],
        pointRadius: 4.5
      }]
    },
    options: {
      scales: scales(
          t, axis, {text: label, ticks: percent ? percentTicks : {}, afterDataLimits: withinReason(label, percent)}),
      plugins: {
        legend: {display: false},
        tooltip: {
          callbacks: {
            label: (i) =>
                `${i.raw.text}: ${percent ? (100 * i.parsed.y).toFixed(1) + '%' : i.parsed.y.toPrecision(4)}`
          }
        }
      }
    }
  };
}

// Groups of points: [{label, points: [{x, y, text}]}], both in shares.
function scatterConfig(t, groups, xLabel, yLabel) {
  return {
    type: 'scatter',
    data: {
      datasets: groups.map((g, i) => ({
                             label: g.label,
                             data: g.points,
                             backgroundColor: faint(t.series[i % t.series.length], 0.75),
                             borderColor: t.series[i % t.series.length],
                             pointStyle: points[i % points.length],
                             pointRadius: 5
                           }))
    },
    options: {
      scales: scales(t, {text: xLabel, ticks: percentTicks}, {
        text: yLabel,
        ticks: percentTicks,
        afterDataLimits: withinReason(yLabel, true)
      }),
      plugins: {
        legend: legend(t),
        tooltip: {
          callbacks: {
            label: (i) => `${i.raw.text}: gap ${(100 * i.parsed.x).toFixed(1)} points, ${
                (100 * i.parsed.y).toFixed(1)}%`
          }
        }
      }
    }
  };
}

// Accuracy against confidence; bins: [low, high, count, confidence, accuracy].
function reliabilityConfig(t, bins) {
  const full = bins.filter((b) => b[2] > 0);
  const most = Math.max(1, ...full.map((b) => b[2]));
  return {
    type: 'scatter',
    data: {
      datasets: [
        {
          label: 'perfect',
          data: [{x: 0, y: 0}, {x: 1, y: 1}],
          showLine: true,
          borderColor: t.soft,
          borderDash: [5, 4],
          borderWidth: 1.3,
          pointRadius: 0,
          pointHitRadius: 0
        },
        {
          label: 'clips, by confidence',
          data: full.map((b) => ({x: b[3], y: b[4], n: b[2]})),
          showLine: true,
          borderColor: t.series[0],
          borderWidth: 1.5,
          backgroundColor: faint(t.series[0], 0.6),
          pointRadius: full.map((b) => 3 + 8 * Math.sqrt(b[2] / most))
        }
      ]
    },
    options: {
      scales: scales(
          t, {text: 'confidence', min: 0, max: 1, ticks: percentTicks},
          {text: 'accuracy', min: 0, max: 1, ticks: percentTicks}),
      plugins: {
        legend: legend(t),
        tooltip: {
          callbacks: {
            label: (i) => i.raw.n ?
                `${i.raw.n} clips: confidence ${(100 * i.parsed.x).toFixed(1)}%, accuracy ${
                    (100 * i.parsed.y).toFixed(1)}%` :
                ''
          }
        }
      }
    }
  };
}
