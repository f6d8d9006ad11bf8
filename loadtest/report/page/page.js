/**
 * Draws the charts of a report's page in the browser, from the JSON blocks beside them. A plain script,
 * inlined with uPlot; it loads nothing, and shows data as text only.
 */
const Plot = globalThis.uPlot
const SERIES_COLOURS = 6
const AXIS_PX = 58
const PRINTED_PX = 680
const PHONE_PX = 560
const PERCENTS = [0, 50, 90, 99, 99.9, 99.99, 99.999]

const drawn = new Set()
const probe = document.createElement('span')
probe.hidden = true
document.body.append(probe)

/** The stylesheet's current colour, light or dark. */
const colour = (name) => {
  probe.className = `ink-${name}`
  return getComputedStyle(probe).color
}
const seriesColour = (index) => () => colour(`series-${index % SERIES_COLOURS}`)

const compact = new Intl.NumberFormat('en', { maximumSignificantDigits: 3, notation: 'compact' })
const exact = new Intl.NumberFormat('en', { maximumSignificantDigits: 4 })
const number = (value) => (value === null || value === undefined ? '–' : exact.format(value))
const seconds = (value) => {
  if (value === null || value === undefined) return '–'
  const whole = Math.abs(Math.round(value))
  const sign = value < 0 ? '−' : ''
  if (whole < 120) return `${sign}${exact.format(Math.abs(value))} s`
  return `${sign}${Math.floor(whole / 60)}:${String(whole % 60).padStart(2, '0')}`
}

const read = (id) => JSON.parse(document.getElementById(`${id}-data`).textContent)

const axis = (more) => ({
  stroke: () => colour('faint'),
  grid: { stroke: () => colour('grid'), width: 1 },
  ticks: { stroke: () => colour('grid'), width: 1, size: 4 },
  font: '12px system-ui, sans-serif',
  ...more,
})

/** Faults and loads as elements over the plot: a line with a number, and its label if there is room. */
function marksOver(marks) {
  const elements = marks.map(({ label }, index) => {
    const mark = document.createElement('div')
    const words = document.createElement('span')
    const ordinal = document.createElement('b')
    mark.className = 'mark'
    mark.title = label
    ordinal.textContent = String(index + 1)
    words.textContent = label
    mark.append(ordinal, words)
    return mark
  })
  const place = (plot) => {
    const { width } = plot.over.getBoundingClientRect()
    const lefts = marks.map(({ at }) => plot.valToPos(at, 'x'))
    for (const [index, mark] of elements.entries()) {
      const left = lefts[index]
      const next = Math.min(width, ...lefts.filter((other) => other > left))
      mark.hidden = left < 0 || left > width
      mark.style.left = `${left}px`
      mark.style.width = `${Math.max(0, next - left)}px`
      mark.classList.toggle('narrow', next - left < 64)
    }
  }
  return { hooks: { ready: (plot) => plot.over.append(...elements), draw: place } }
}

/** A text alternative for the canvas. */
function describe(plot, chart) {
  const parts = chart.lines.map(({ label, values }) => {
    const known = values.filter((value) => value !== null)
    if (known.length === 0) return `${label}: nothing`
    const least = known.reduce((a, b) => Math.min(a, b))
    const most = known.reduce((a, b) => Math.max(a, b))
    return `${label} from ${number(least)} to ${number(most)}`
  })
  const picture = plot.root.querySelector('.u-wrap')
  picture.setAttribute('role', 'img')
  picture.setAttribute('aria-label', `${chart.title}, ${chart.unit}: ${parts.join('; ')}`)
}

function frame(parent, title, unit) {
  const figure = document.createElement('figure')
  const caption = document.createElement('figcaption')
  const small = document.createElement('span')
  caption.textContent = `${title} `
  small.textContent = unit
  caption.append(small)
  figure.append(caption)
  parent.append(figure)
  return figure
}

const widthOf = (element) => Math.max(240, Math.floor(element.clientWidth))

function keepFitting(plot, figure, height) {
  const fit = (width) => plot.setSize({ width, height: width < PHONE_PX ? height * 0.9 : height })
  new ResizeObserver(() => {
    if (figure.clientWidth > 0 && widthOf(figure) !== plot.width) fit(widthOf(figure))
  }).observe(figure)
  drawn.add({ plot, fit, figure })
}

function drawOverTime(parent, run, { at, charts, marks }) {
  for (const chart of charts) {
    const figure = frame(parent, chart.title, chart.unit)
    const height = chart.key === 'latency' ? 240 : 170
    const lines = chart.lines.map(({ label, dashed }, index) => ({
      label,
      stroke: dashed ? () => colour('faint') : seriesColour(index),
      width: 1.75,
      ...(dashed ? { dash: [5, 4] } : {}),
      points: { show: false },
      value: (_plot, value) => number(value),
    }))
    const options = {
      width: widthOf(figure),
      height,
      cursor: { sync: { key: run }, points: { size: 7 } },
      scales: {
        x: { time: false },
        y: chart.logarithmic ? { distr: 3 } : { range: (_plot, _min, max) => [0, max > 0 ? max * 1.25 : 1] },
      },
      axes: [
        axis({ size: 30, values: (_plot, splits) => splits.map(seconds) }),
        axis({
          size: AXIS_PX,
          values: (_plot, splits) => splits.map((v) => (v === null ? '' : compact.format(v))),
        }),
      ],
      series: [{ label: 'time', value: (_plot, value) => seconds(value) }, ...lines],
      plugins: [marksOver(marks)],
    }
    const plot = new Plot(options, [at, ...chart.lines.map(({ values }) => values)], figure)
    describe(plot, chart)
    keepFitting(plot, figure, height)
  }
}

const percentName = (x) => `${Number((100 - 100 / x).toFixed(4))} %`

function drawDistribution(parent, { curves }) {
  if (curves.length === 0) return
  const longest = curves.reduce((a, b) => (b.points.length > a.points.length ? b : a))
  const xs = longest.points.map(([percent]) => 100 / (100 - percent))
  const columns = curves.map(({ points }) =>
    xs.map((_, index) => (points[index]?.[1] > 0 ? points[index][1] : null)),
  )
  const figure = frame(parent, 'Latency by percentile', 'ms')
  const height = 280
  const last = xs.at(-1)
  const options = {
    width: widthOf(figure),
    height,
    scales: { x: { time: false, distr: 3, range: () => [1, Math.max(10, last)] }, y: { distr: 3 } },
    axes: [
      axis({
        splits: () =>
          PERCENTS.map((percent) => 100 / (100 - percent)).filter((x) => x <= Math.max(10, last) * 1.01),
        filter: (_plot, splits) => splits,
        values: (_plot, splits) => splits.map(percentName),
      }),
      axis({
        size: AXIS_PX,
        values: (_plot, splits) => splits.map((v) => (v === null ? '' : compact.format(v))),
      }),
    ],
    series: [
      { label: 'percentile', value: (_plot, x) => (x === null ? '–' : percentName(x)) },
      ...curves.map(({ label, group }, index) => ({
        label,
        stroke: seriesColour(group ?? index),
        width: group === undefined ? 1.75 : 1.25,
        points: { show: false },
        value: (_plot, value) => number(value),
      })),
    ],
  }
  const plot = new Plot(options, [xs, ...columns], figure)
  const lines = curves.map(({ label }, index) => ({ label, values: columns[index] }))
  describe(plot, { title: 'Latency by percentile', unit: 'ms', lines })
  keepFitting(plot, figure, height)
}

/** Draws once, when first visible: a folded element has no width. */
function draw(scope) {
  for (const place of scope.querySelectorAll('[data-run]:not([data-drawn])')) {
    if (place.closest('details:not([open])') !== null) continue
    place.dataset.drawn = ''
    const data = read(place.dataset.run)
    if (place.className === 'charts') drawOverTime(place, place.dataset.run, data)
    else drawDistribution(place, data)
  }
}

const redraw = () => {
  for (const { plot } of drawn) plot.redraw(false, true)
}

function unfold() {
  const aimed = location.hash === '' ? null : document.getElementById(location.hash.slice(1))
  if (!(aimed instanceof HTMLDetailsElement)) return
  aimed.open = true
  aimed.scrollIntoView()
}

for (const run of document.querySelectorAll('details.run')) run.addEventListener('toggle', () => draw(run))
addEventListener('hashchange', unfold)
addEventListener('beforeprint', () => {
  for (const run of document.querySelectorAll('details.run')) run.open = true
  draw(document)
  for (const { fit } of drawn) fit(PRINTED_PX)
})
addEventListener('afterprint', () => {
  for (const { fit, figure } of drawn) fit(widthOf(figure))
})
for (const query of ['(prefers-color-scheme: dark)', 'print'])
  matchMedia(query).addEventListener('change', redraw)
draw(document)
unfold()
