// summary.js: the top of the page: the answer in one sentence, a few figures, and what closeguard warns of.

const WARNINGS_SHOWN = 3;

// Processes that were looked at, those of the sources and those of the findings.
function allProcesses(model) {
	const seen = new Map();
	for (const one of model.sources)
		if (one.pid !== undefined || one.app || one.host)
			seen.set(clean(one.host) + " " + clean(one.pid), clean(one.host));
	for (const finding of model.findings)
		for (const one of finding.processes) seen.set(one.host + " " + clean(one.pid), one.host);
	return {processes: seen.size, hosts: new Set([...seen.values()].filter(Boolean)).size};
}

function periodOf(model) {
	const times = [];
	for (const one of model.sources) times.push(when(one.from), when(one.to));
	for (const one of model.findings) times.push(one.first, one.last);
	const given = times.filter((time) => time !== null);
	// Not Math.min(...given): there may be more than a call takes arguments.
	return given.length
		? given.reduce(([a, b], time) => [Math.min(a, time), Math.max(b, time)], [Infinity, -Infinity])
		: null;
}

// Sockets that a finding says are leaked now; a double close or a shortage of descriptors is none.
function leakedBy(finding) {
	const counts =
		finding.verdict === "leak" &&
		!finding.resolved &&
		!isEvent(finding) &&
		finding.kind !== "fd_exhaustion";
	return counts ? finding.count : 0;
}

function totalsOf(model) {
	const totals = {leaked: 0, places: 0, oldest: null, open: {leak: 0, late: 0, info: 0}, resolved: 0};
	for (const finding of model.findings) {
		if (finding.resolved) {
			totals.resolved++;
			continue;
		}
		if (Object.hasOwn(totals.open, finding.verdict)) totals.open[finding.verdict]++;
		if (finding.verdict === "leak") totals.places += leakedBy(finding) > 0;
		totals.leaked += leakedBy(finding);
		if (leakedBy(finding) && finding.oldest !== null)
			totals.oldest = Math.max(totals.oldest ?? 0, finding.oldest);
	}
	return {...totals, ...allProcesses(model)};
}

function sentence(model, totals) {
	const seen = `${many(totals.processes, "process", "processes")} on ${many(totals.hosts, "host")}`;
	const around = totals.processes ? ` in ${seen}` : "";
	if (!model.findings.length) return "Nothing found" + around + ".";
	if (!totals.open.leak) return "No leak is outstanding" + around + ".";
	if (!totals.leaked)
		// double closes and the like
		return many(totals.open.leak, "mistake is", "mistakes are") + " outstanding" + around + ".";
	const others = totals.open.leak - totals.places;
	return (
		`${many(totals.leaked, "socket is", "sockets are")} leaked at ` +
		many(totals.places, "place of the code", "places of the code") +
		(others ? `, with ${many(others, "other mistake")},` : "") +
		around +
		"."
	);
}

function tile(name, value, note, tone) {
	return el(
		"div.tile" + (tone ? "." + tone : ""),
		{"data-tile": name},
		el("dt", {text: name}),
		el("dd", {text: value}),
		note && el("dd.note", {text: note}),
	);
}

function drawSummary(model) {
	const totals = totalsOf(model),
		period = periodOf(model);
	byId("subtitle").textContent = [model.time === null ? "" : stamp(model.time) + " UTC", model.generator]
		.filter(Boolean)
		.join(" · ");
	document.title = "closeguard: " + sentence(model, totals).replace(/\.$/, "");
	const verdicts = VERDICT_ORDER.map((name) => count(totals.open[name]) + " " + name)
		.concat(totals.resolved ? [count(totals.resolved) + " resolved"] : [])
		.join(" · ");
	const tone = totals.open.leak ? "leak" : totals.open.late ? "late" : "good";
	show(
		byId("summary"),
		el(
			"p.answer." + tone,
			{id: "answer"},
			el("span.mark", {"aria-hidden": "true"}, tone === "good" ? "✓" : "▲"),
			el("span", {text: sentence(model, totals)}),
		),
		el(
			"dl.tiles",
			{},
			tile(
				"Leaked sockets",
				count(totals.leaked),
				totals.oldest === null ? null : "the oldest for " + age(totals.oldest),
				totals.leaked ? "leak" : null,
			),
			tile("Findings", count(model.findings.length), verdicts),
			tile("Processes", count(totals.processes), "on " + many(totals.hosts, "host")),
			tile(
				"Period",
				period ? age((period[1] - period[0]) / 1000) : "unknown",
				period ? "until " + stamp(period[1]) : null,
			),
		),
	);
}

function drawWarnings(model) {
	if (!model.warnings.length) return;
	const items = model.warnings.map((text) => el("li", {text}));
	const rest = items.splice(WARNINGS_SHOWN);
	show(
		byId("warnings"),
		el("h2", {}, el("span", {"aria-hidden": "true"}, "⚠ "), many(model.warnings.length, "warning")),
		el("ul", {}, items),
		rest.length
			? el(
					"details",
					{},
					el("summary", {text: `${count(rest.length)} more`}),
					el("ul", {}, rest),
				)
			: null,
	);
}

function nothingFound(model) {
	const {processes, hosts} = allProcesses(model);
	return el(
		"div.nothing",
		{id: "nothing"},
		el("div.big", {"aria-hidden": "true"}, "✓"),
		el("h2", {}, "Nothing found"),
		el(
			"p",
			{},
			processes
				? `No forgotten connection in ${many(processes, "process", "processes")} on ` +
						`${many(hosts, "host")}.`
				: "The report names no process: nothing was looked at.",
		),
		model.warnings.length
			? el("p", {}, "Mind the warnings above: what could not be read could not be judged.")
			: null,
	);
}
