// Charts: made when they come near the window or when the page is printed, again when colours change. Nothing
// moves.
'use strict';

const themes = {
  light: {
    ink: '#1b1f24',
    soft: '#59626d',
    line: '#dfe3e7',
    paper: '#ffffff',
    series: ['#0072B2', '#D55E00', '#009E73', '#CC79A7', '#E69F00', '#56B4E9', '#000000']
  },
  dark: {
    ink: '#e4e7ea',
    soft: '#a2abb4',
    line: '#32383f',
    paper: '#14171a',
    series: ['#56B4E9', '#E69F00', '#2BC79A', '#E29BC4', '#F0E442', '#D55E00', '#FFFFFF']
  },
};
const darkness = window.matchMedia('(prefers-color-scheme: dark)');
let printing = false;
const theme = () => (darkness.matches && !printing ? themes.dark : themes.light);
const dashes = [[], [6, 4], [2, 3], [9, 3, 2, 3]];
const points = ['circle', 'rect', 'triangle', 'rectRot', 'crossRot', 'star'];
const faint = (colour, alpha) => colour + Math.round(alpha * 255).toString(16).padStart(2, '0');

Chart.defaults.animation = false;
Chart.defaults.maintainAspectRatio = false;
Chart.defaults.font.family = getComputedStyle(document.body).fontFamily;
Chart.defaults.font.size = 12;
Chart.defaults.devicePixelRatio = Math.max(2, window.devicePixelRatio || 1);

const plots = [];  // {canvas, make, chart}

function draw(plot) {
  if (plot.chart) plot.chart.destroy();
  Chart.defaults.color = theme().soft;
  Chart.defaults.borderColor = theme().line;
  plot.chart = new Chart(plot.canvas, plot.make(theme()));
}
const drawAll = () => plots.forEach(draw);
const near = new IntersectionObserver((entries) => {
  for (const entry of entries) {
    if (!entry.isIntersecting) continue;
    near.unobserve(entry.target);
    const plot = plots.find((p) => p.canvas === entry.target);
    if (!plot.chart) draw(plot);
  }
}, {rootMargin: '500px'});

// A figure with a chart; make(theme) gives Chart.js's configuration. redraw() after what it shows has
// changed.
function plotFigure(title, description, make, shape = '') {
  const canvas = el('canvas', {role: 'img', 'aria-label': description});
  const plot = {canvas, make, chart: null};
  plots.push(plot);
  const figure = el('figure', {}, el('figcaption', {}, title), el('div', {class: 'plot ' + shape}, canvas));
  near.observe(canvas);
  figure.redraw = () => plot.chart && draw(plot);
  figure.caption = figure.firstChild;
  return figure;
}

darkness.addEventListener('change', () => plots.filter((p) => p.chart).forEach(draw));
let closed = [];
window.addEventListener('beforeprint', () => {
  printing = true;
  document.documentElement.classList.add('printing');
  closed = [...document.querySelectorAll('details:not([open])')];
  closed.forEach((d) => {
    d.open = true;
  });
  drawAll();
});
window.addEventListener('afterprint', () => {
  printing = false;
  document.documentElement.classList.remove('printing');
  closed.forEach((d) => {
    d.open = false;
  });
  drawAll();
});

// Axes with titles; `x` and `y` are merged in.
function scales(t, x, y) {
  const axis = (options) => ({
    ...options,
    grid: {color: t.line, drawBorder: true, borderColor: t.soft},
    title: {display: !!options.text, text: options.text, color: t.soft},
    ticks: {color: t.soft, maxRotation: 40, ...(options.ticks || {})}
  });
  return {x: axis(x), y: axis(y)};
}
const percentTicks = {
  callback: (v, i, ticks) =>
      (100 * v).toFixed(ticks.length > 1 && Math.abs(ticks[1].value - ticks[0].value) < 0.0099 ? 1 : 0) + '%'
};
const legend = (t, filter) => ({
  position: 'top',
  align: 'start',
  labels:
      {color: t.ink, usePointStyle: true, boxHeight: 7, boxWidth: 26, padding: 10, font: {size: 11.5}, filter}
});
