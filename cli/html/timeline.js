// timeline.js: open CLOSE_WAIT sockets over time, as stairs: stacked by process, or the total.

const CHART = {height: 280, left: 52, right: 14, top: 14, bottom: 30};
const TICK_S = [
	1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 10800, 21600, 43200, 86400, 172800,
	604800,
];
const TABLE_ROWS = 200;

function niceStep(span, parts) {
	const raw = Math.max(span / parts, 1),
		power = 10 ** Math.floor(Math.log10(raw));
	return [1, 2, 2.5, 5, 10].find((one) => one * power >= raw && Number.isInteger(one * power)) * power;
}

function timeTicks(from, to, parts) {
	const step = 1000 * (TICK_S.find((s) => (to - from) / 1000 / s <= parts) || TICK_S[TICK_S.length - 1]);
	const ticks = [];
	for (let at = Math.ceil(from / step) * step; at <= to && ticks.length < 50; at += step) ticks.push(at);
	const text = (ms) =>
		step >= 86400000
			? stamp(ms).slice(5, 10)
			: to - from > 86400000
				? stamp(ms).slice(5, 16)
				: stamp(ms).slice(11, step < 60000 ? 19 : 16);
	return ticks.map((ms) => [ms, text(ms)]);
}

function axes(frame, most) {
	const parts = [],
		step = niceStep(most, 4);
	for (let at = 0; at <= most; at += step)
		parts.push(
			svg("line", {
				class: "grid",
				x1: CHART.left,
				x2: frame.width - CHART.right,
				y1: frame.y(at),
				y2: frame.y(at),
			}),
			svg("text", {class: "tick left", x: CHART.left - 8, y: frame.y(at) + 4}, count(at)),
		);
	for (const [ms, text] of timeTicks(frame.from, frame.to, Math.max(2, frame.width / 110)))
		parts.push(
			svg("line", {
				class: "grid",
				x1: frame.x(ms),
				x2: frame.x(ms),
				y1: CHART.height - CHART.bottom,
				y2: CHART.height - CHART.bottom + 4,
			}),
			svg("text", {class: "tick", x: frame.x(ms), y: CHART.height - 10}, text),
		);
	return parts;
}

function stairs(frame, times, upper) {
	return times
		.map(
			(ms, i) =>
				(i ? `H${frame.x(ms).toFixed(1)}V` : `M${frame.x(ms).toFixed(1)},`) +
				frame.y(upper[i]).toFixed(1),
		)
		.join("");
}

function area(frame, times, lower, upper) {
	const down = [`V${frame.y(lower[times.length - 1]).toFixed(1)}`];
	for (let i = times.length - 1; i > 0; i--)
		down.push(`V${frame.y(lower[i - 1]).toFixed(1)}H${frame.x(times[i - 1]).toFixed(1)}`);
	return stairs(frame, times, upper) + down.join("") + "Z";
}

function frameFor(times, most, width) {
	const alone = times.length === 1,
		from = times[0] - (alone ? 30000 : 0),
		to = times[times.length - 1] + (alone ? 30000 : 0);
	const wide = width - CHART.left - CHART.right,
		high = CHART.height - CHART.top - CHART.bottom;
	return {
		width,
		from,
		to,
		x: (ms) => CHART.left + (wide * (ms - from)) / (to - from),
		y: (n) => CHART.top + high * (1 - n / Math.max(most, 1)),
	};
}

class Timeline {
	constructor(times, rows) {
		this.times = times;
		this.rows = rows;
		this.total = addUp(
			rows.map((row) => row.values),
			times.length,
		);
		this.most = this.total.reduce((most, n) => Math.max(most, n), 0);
		this.at = times.length - 1;
		this.chart = svg("svg", {
			class: "timeline",
			tabindex: 0,
			role: "img",
			"aria-label": `Open CLOSE_WAIT sockets, ${this.words(this.at)}; arrow keys read other times`,
			onpointermove: (event) => this.point(event),
			onpointerleave: () => this.mark(null),
			onkeydown: (event) => this.onKey(event),
			onblur: () => this.mark(null),
		});
	}

	words(i) {
		return `${stamp(this.times[i])}: ${many(this.total[i], "socket")}`;
	}

	draw() {
		const width = this.chart.parentElement?.clientWidth;
		if (!width) return;
		this.frame = frameFor(this.times, this.most, width);
		this.cursor = svg("line", {
			class: "cursor",
			y1: CHART.top,
			y2: CHART.height - CHART.bottom,
			visibility: "hidden",
		});
		this.chart.replaceChildren(
			...axes(this.frame, this.most),
			...(this.times.length > 1 ? this.areas() : this.dots()),
			this.cursor,
		);
		this.chart.setAttribute("viewBox", `0 0 ${width} ${CHART.height}`);
	}

	areas() {
		let lower = this.times.map(() => 0);
		const parts = [];
		this.rows.forEach((row, i) => {
			const upper = lower.map((n, at) => n + row.values[at]);
			parts.push(
				svg("path", {
					class: `area c${i}`,
					d: area(this.frame, this.times, lower, upper),
				}),
				svg("path", {class: `edge c${i}`, d: stairs(this.frame, this.times, upper)}),
			);
			lower = upper;
		});
		return parts;
	}

	// One time only: a line has no length.
	dots() {
		const x = this.frame.x(this.times[0]),
			y = this.frame.y(this.total[0]);
		return [
			svg("circle", {class: "dot c0", cx: x, cy: y, r: 6}),
			svg("text", {class: "value", x, y: y < 40 ? y + 24 : y - 12}, this.words(0)),
		];
	}

	mark(i, event) {
		this.cursor?.setAttribute("visibility", i === null ? "hidden" : "visible");
		if (i === null) return tip.hide();
		this.at = i;
		const x = this.frame.x(this.times[i]);
		this.cursor.setAttribute("x1", x);
		this.cursor.setAttribute("x2", x);
		const place = this.chart.getBoundingClientRect();
		const parts =
			this.rows.length > 1
				? this.rows
						.filter((row) => row.values[i])
						.map((row) => `${count(row.values[i])}  ${row.name}`)
				: [];
		return tip.show(
			event ? event.clientX : place.left + x,
			event ? event.clientY : place.top + 40,
			this.words(i),
			...parts,
		);
	}

	point(event) {
		const ms =
			this.frame.from +
			((event.clientX - this.chart.getBoundingClientRect().left - CHART.left) /
				(this.frame.width - CHART.left - CHART.right)) *
				(this.frame.to - this.frame.from);
		let i = this.times.findIndex((time) => time > ms);
		i = i < 0 ? this.times.length - 1 : Math.max(0, i - 1);
		this.mark(i, event);
	}

	onKey(event) {
		const last = this.times.length - 1;
		const to = {ArrowLeft: this.at - 1, ArrowRight: this.at + 1, Home: 0, End: last}[event.key];
		if (event.key === "Escape") this.mark(null);
		if (to === undefined) return;
		event.preventDefault();
		this.mark(Math.min(Math.max(0, to), last));
		say(this.words(this.at));
	}
}

// The latest times, newest first.
function timelineTable({times, rows, total}) {
	const first = Math.max(0, times.length - TABLE_ROWS);
	const body = times
		.slice(first)
		.map((ms, i) =>
			el(
				"tr",
				{},
				el("td", {text: stamp(ms)}),
				el("td.number", {text: count(total[first + i])}),
				rows.length > 1 &&
					rows.map((row) =>
						el("td.number", {text: count(row.values[first + i])}),
					),
			),
		)
		.reverse();
	const headings = [
		"Time (UTC)",
		"#Total",
		...(rows.length > 1 ? rows.map((row) => "#" + row.name) : []),
	];
	return el(
		"details.as-text",
		{},
		el("summary", {}, "The same as a table" + (first ? `, the last ${TABLE_ROWS} times` : "")),
		small(headings, body, "Open CLOSE_WAIT sockets over time"),
	);
}

function drawTimeline(panel, view) {
	const {state, model} = view,
		series = timelineSeries(model, state.process),
		times = timesOf(series);
	const lead = el(
		"p.lead",
		{},
		"Open sockets in CLOSE_WAIT, as closeguard counted them. A line that only rises is a leak; " +
			"one that comes and goes is load. Of the filters, only the process one matters here.",
	);
	if (!times.length) {
		show(
			panel,
			lead,
			el(
				"p.empty",
				{},
				"The report has no points in time" +
					(state.process ? " of this process." : "."),
			),
		);
		return;
	}
	const rows = rowsFor(series, times, state.spread),
		timeline = new Timeline(times, rows);
	show(
		panel,
		el(
			"div.tools",
			{},
			choice(
				"spread",
				"How to draw",
				[
					["stacked", "By process"],
					["total", "Total"],
				],
				state.spread,
				(spread) => view.set({spread}),
			),
		),
		lead,
		el("div.chart", {}, timeline.chart),
		el(
			"ul.keys-of-chart",
			{},
			rows.map((row, i) =>
				el(
					"li",
					{},
					el("i.swatch.c" + i, {"aria-hidden": "true"}),
					el("span", {text: row.name}),
					el("b", {text: count(row.values[row.values.length - 1])}),
				),
			),
		),
		timelineTable(timeline),
	);
	timeline.draw();
	view.onresize = () => timeline.draw();
}
