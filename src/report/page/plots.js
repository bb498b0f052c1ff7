// What each kind of chart shows, as Chart.js's configuration; t is the theme.
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

// Curves of training and validation. runs: of data.runs; band: mean and deviation instead of every run.
function curveConfig(t, runs, band, key, label, percent) {
  const sets = [];
  [['training', key, 0], ['validation', 'val_' + key, 1]].forEach(([name, column, i]) => {
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
                     .filter(([r, e]) => e > 0 && r['val_' + key][e - 1] != null)
                     .map(([r, e]) => ({x: e, y: r['val_' + key][e - 1]}));
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
      if (percent) s.max = Math.min(1, s.max), s.min = Math.max(0, s.min);
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

// Draws each point's standard error: dataset.errors.
const whiskers = {
  id: 'whiskers',
  afterDatasetsDraw(chart) {
    const {ctx} = chart;
    chart.data.datasets.forEach((set, i) => {
      if (!set.errors || !chart.isDatasetVisible(i)) return;
      ctx.save();
      ctx.strokeStyle = set.borderColor;
      ctx.lineWidth = 1.2;
      chart.getDatasetMeta(i).data.forEach((point, k) => {
        if (!set.errors[k] || set.data[k] === null) return;
        const [low, high] = [set.data[k] - set.errors[k], set.data[k] + set.errors[k]].map(
            (v) => chart.scales.y.getPixelForValue(v));
        ctx.beginPath();
        ctx.moveTo(point.x, low), ctx.lineTo(point.x, high);
        for (const end of [low, high]) ctx.moveTo(point.x - 3.5, end), ctx.lineTo(point.x + 3.5, end);
        ctx.stroke();
      });
      ctx.restore();
    });
  }
};

// Lines over the values of one axis. lines: [{label, values: [{y, error}]}]; y and error may be null.
function axisConfig(t, texts, name, lines, label, percent) {
  const ends = lines.flatMap(
      (l) =>
          l.values.filter((v) => v.y !== null).flatMap((v) => [v.y - (v.error || 0), v.y + (v.error || 0)]));
  const room = (s) => {
    if (ends.length) s.min = Math.min(s.min, ...ends), s.max = Math.max(s.max, ...ends);
  };
  return {
    type: 'line',
    plugins: [whiskers],
    data: {
      labels: texts,
      datasets: lines.map((l, i) => ({
                            label: l.label,
                            data: l.values.map((v) => v.y),
                            errors: l.values.map((v) => v.error),
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
          t, {text: name, offset: true},
          {text: label, ticks: percent ? percentTicks : {}, afterDataLimits: room}),
      plugins: {
        legend: {...legend(t), display: lines.length > 1},
        tooltip: {
          callbacks: {
            label: (i) => {
              const error = i.dataset.errors[i.dataIndex],
                    show = (v) => (percent ? (100 * v).toFixed(1) + '%' : v.toPrecision(4));
              return `${i.dataset.label}: ${show(i.parsed.y)}${error ? ' ± ' + show(error) : ''}`;
            }
          }
        }
      }
    }
  };
}

// A figure over an axis of which nearly every configuration has a value of its own; spots: [{x, y, text}].
function spotsConfig(t, spots, name, label, percent) {
  const xs = spots.map((p) => p.x), log = Math.min(...xs) > 0 && Math.max(...xs) > 50 * Math.min(...xs);
  return {
    type: 'scatter',
    data: {
      datasets: [{
        label,
        data: spots,
        backgroundColor: faint(t.series[0], 0.7),
        borderColor: t.series[0],
        pointRadius: 4.5
      }]
    },
    options: {
      scales: scales(
          t, {
            text: name,
            type: log ? 'logarithmic' : 'linear',
            ticks: log ? {callback: (v) => (/^1e/.test(v.toExponential()) ? v.toPrecision(1) : '')} : {}
          },
          {text: label, ticks: percent ? percentTicks : {}}),
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
        afterDataLimits: (s) => {
          s.min = Math.max(0, s.min), s.max = Math.min(1, s.max);
        }
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
          label: 'segments, by confidence',
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
                `${i.raw.n} segments: confidence ${(100 * i.parsed.x).toFixed(1)}%, accuracy ${
                    (100 * i.parsed.y).toFixed(1)}%` :
                ''
          }
        }
      }
    }
  };
}
