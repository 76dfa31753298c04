// histogram.js: how long closes took after the end was read, as bars; those that never came are the last one.
//
// All have the same axis, so that places can be compared at a glance: mass at the right of the axis is overload, mass
// in "never" is a bug. Heights are logarithmic, or 30 forgotten connections would vanish beside 100,000 good ones.

// What the library counts: under 1, 2, 4 … ms, and what took longer.
const AXIS_MS = Array.from({length: 19}, (_, i) => 2 ** i).concat([null]);
const BAR = 14,
	GAP = 2,
	PLOT = 84,
	BASE = 100,
	NEVER_GAP = 16;

// [[upper bound or null, count]…]; a plain list of counts has the library's own bounds.
function bucketsOf(history) {
	const given = list(history.delays_ms);
	const pairs = given.map((one, i) =>
		Array.isArray(one)
			? [number(one[0]), number(one[1], 0)]
			: [i < AXIS_MS.length ? AXIS_MS[i] : null, number(one, 0)],
	);
	if (pairs.some(([bound]) => bound !== null && !AXIS_MS.includes(bound))) return pairs; // another axis than ours
	const sums = new Map(AXIS_MS.map((bound) => [bound, 0]));
	for (const [bound, n] of pairs) sums.set(bound, sums.get(bound) + Math.max(0, n));
	return [...sums];
}

function boundText(ms) {
	if (ms === null) return "longer";
	return ms < 1000 ? ms + "ms" : ms < 60000 ? Math.round(ms / 1024) + "s" : Math.round(ms / 61440) + "m";
}

function bucketText(buckets, at) {
	const from = at ? buckets[at - 1][0] : 0,
		to = buckets[at][0];
	if (to === null) return "over " + boundText(from);
	return from ? boundText(from) + " to " + boundText(to) : "under " + boundText(to);
}

// The late ones are those with the longest delays: so many buckets from the right as hold closed_late connections.
function lateFrom(buckets, late) {
	let at = buckets.length;
	for (let left = late; at > 0 && left > buckets[at - 1][1] / 2; at--) left -= buckets[at - 1][1];
	return at;
}

function heightOf(n, largest) {
	return n > 0 ? Math.max(3, (PLOT * Math.log2(1 + n)) / Math.log2(1 + largest)) : 0;
}

function bar(x, n, largest, classes, what) {
	const height = heightOf(n, largest);
	const text = what + ": " + many(n, "connection");
	return svg(
		"g",
		{class: "bar " + classes},
		svg("title", {text}),
		svg("rect", {x, y: BASE - PLOT - 8, width: BAR, height: PLOT + 8, class: "hit"}),
		n > 0 && svg("rect", {x, y: BASE - height, width: BAR, height, class: "fill"}),
	);
}

function barLabel(x, n, largest) {
	return (
		n > 0 &&
		svg("text", {x: x + BAR / 2, y: BASE - heightOf(n, largest) - 3, class: "value"}, compact(n))
	);
}

const compactNumber = new Intl.NumberFormat("en-US", {notation: "compact", maximumFractionDigits: 0});
const compact = (n) => compactNumber.format(n);

function histogram(history) {
	const buckets = bucketsOf(history),
		never = number(history.never_closed, 0);
	const largest = buckets.reduce((most, [, n]) => Math.max(most, n), Math.max(1, never));
	const neverAt = buckets.length * (BAR + GAP) + NEVER_GAP,
		width = neverAt + BAR + 24;
	const place = (i) => i * (BAR + GAP) + 8;
	const late = lateFrom(buckets, number(history.closed_late, 0));
	const top = buckets.reduce((best, [, n], i) => (n > buckets[best]?.[1] ? i : best), 0);
	const words = buckets.map(([, n], i) => n && bucketText(buckets, i) + ": " + count(n)).filter(Boolean);
	const chart = svg("svg", {
		class: "histogram",
		viewBox: `0 0 ${width} 118`,
		role: "img",
		"aria-label": `Closes by delay after EOF: ${words.join(", ") || "none"}; never closed: ${count(never)}`,
	});
	fill(chart, {}, [
		buckets.map(([, n], i) =>
			bar(
				place(i),
				n,
				largest,
				i < late ? "in-time" : "late",
				"closed " + bucketText(buckets, i) + " after EOF",
			),
		),
		bar(place(0) + neverAt, never, largest, "never", "never closed"),
		svg("line", {x1: 4, x2: neverAt - NEVER_GAP + 8, y1: BASE, y2: BASE, class: "axis"}),
		svg("line", {x1: neverAt + 4, x2: neverAt + BAR + 12, y1: BASE, y2: BASE, class: "axis"}),
		buckets.length ? barLabel(place(top), buckets[top][1], largest) : null,
		barLabel(place(0) + neverAt, never, largest),
		buckets.map(
			([bound], i) =>
				bound !== null &&
				i % 5 === 0 &&
				svg("text", {x: place(i) + BAR, y: 114, class: "tick"}, boundText(bound)),
		),
		svg("text", {x: place(0) + neverAt + BAR / 2, y: 114, class: "tick strong"}, "never"),
	]);
	return chart;
}

// A bar of three parts: closed in time, late, never; and their figures in words.
function outcomeBar(history) {
	const parts = [
		["good", "in time", number(history.closed_in_time, 0)],
		["late", "late", number(history.closed_late, 0)],
		["leak", "never", number(history.never_closed, 0)],
	];
	const all = parts.reduce((sum, [, , n]) => sum + n, 0);
	const strip = el(
		"div.outcome",
		{"aria-hidden": "true"},
		parts
			.filter(([, , n]) => n > 0)
			.map(([tone, , n]) => {
				const part = el("span." + tone);
				part.style.flexGrow = Math.max(n / all, 0.02);
				return part;
			}),
	);
	return el(
		"div",
		{},
		strip,
		el(
			"p.legend",
			{},
			parts.map(([tone, label, n]) =>
				el(
					"span",
					{},
					el("i.swatch." + tone, {"aria-hidden": "true"}),
					`${count(n)} ${label}`,
				),
			),
		),
	);
}

function verdictOnHistory({history, verdict: given}) {
	const {verdict, short, text} = judgeHistory(history, given);
	return el("p.judged", {}, el("strong.badge." + verdict, {text: short}), " ", text);
}

// Findings of one place repeat its history; places are told apart by their opening stacks. The one that has seen most
// stands for them, since the history of a place only grows.
function placesWithHistory(findings) {
	const byStack = new Map();
	for (const finding of findings) {
		if (!finding.history) continue;
		const stack = finding.places.get("opened")?.stack || [];
		const key = stack.length ? stack.map((frame) => frame.address).join(" ") : finding.id;
		const before = byStack.get(key);
		const more = before && number(finding.history.opened, 0) - number(before.history.opened, 0);
		if (!before || more > 0 || (more === 0 && severity(finding) > severity(before)))
			byStack.set(key, finding);
	}
	const badness = ({history}) => number(history.never_closed, 0) + number(history.closed_late, 0);
	return [...byStack.values()].sort((a, b) => badness(b) - badness(a));
}

const CARDS = 24;

function delayCard(finding, open) {
	const opening = finding.places.get("opened")?.stack || [],
		frame = opening[Math.max(0, siteIndex(opening))] || finding.site;
	return el(
		"article.card.delay-card",
		{},
		el(
			"header",
			{},
			el("h3.code", {text: frame ? frame.name : "unknown place"}),
			el("p.muted.code", {text: frame ? frame.where : "", title: frame ? frame.path : null}),
		),
		histogram(finding.history),
		outcomeBar(finding.history),
		verdictOnHistory(finding),
		el("button.small", {type: "button", onclick: () => open(finding)}, "Show the finding"),
	);
}

function drawDelays(panel, view) {
	const places = placesWithHistory(view.findings);
	const cards = el("div.cards", {}),
		more = el("button", {type: "button", onclick: add});
	let shown = 0;
	function add() {
		const next = places.slice(shown, shown + CARDS);
		cards.append(...next.map((finding) => delayCard(finding, view.open)));
		shown += next.length;
		more.hidden = shown >= places.length;
		const left = places.length - shown;
		more.textContent = `Show ${Math.min(CARDS, left)} more of ${count(left)}`;
	}
	add();
	show(
		panel,
		el(
			"p.lead",
			{},
			"How long after the end was read each place closed its connections. Bars in ",
			el("em", {}, "never"),
			" are a ",
			el("strong", {}, "bug"),
			"; bars at seconds and minutes are ",
			el("strong", {}, "overload"),
			". Heights are logarithmic.",
		),
		places.length ? cards : el("p.empty", {}, "None of these findings has a history of closes."),
		more,
	);
}
