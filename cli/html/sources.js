// sources.js: where the report comes from, and what policies did.

function sourceRow(source) {
	const counters = Object.entries(object(source.counters)).filter(([, value]) => number(value) !== null);
	const shown = counters
		.map(([name, value]) => `${clean(name).replaceAll("_", " ")} ${count(value)}`)
		.join(" · ");
	return el(
		"tr",
		{},
		el(
			"td",
			{},
			el("span.strong", {text: clean(source.app) || "unknown"}),
			el("span.sub", {text: processName(source)}),
		),
		el("td", {text: shownOr(source.state)}),
		el("td", {text: shownOr(source.kind)}, el("span.sub.code", {text: source.path})),
		el("td", {text: stamp(when(source.from))}),
		el("td", {text: stamp(when(source.to))}),
		el("td.counters", {text: shown}),
	);
}

function actionRow(given) {
	const action = object(given);
	return el(
		"tr",
		{},
		el("td", {text: shownOr(action.rule)}),
		el("td", {text: shownOr(action.action)}),
		el("td", {text: shownOr(action.result)}),
		el("td", {
			text:
				action.dry_run === true
					? "no: would have"
					: action.dry_run === false
						? "yes"
						: "unknown",
		}),
		el("td.number", {text: count(number(action.count))}),
	);
}

const SOURCES_SHOWN = 200;

function drawSources(panel, {model}) {
	const left = model.sources.length - SOURCES_SHOWN;
	show(
		panel,
		el("h2", {}, "Sources"),
		model.sources.length
			? small(
					["Program", "State", "Read from", "From (UTC)", "To (UTC)", "Counters"],
					model.sources.slice(0, SOURCES_SHOWN).map(sourceRow),
					"Sources",
				)
			: el("p.empty", {}, "The report names no source."),
		left > 0 ? el("p.muted", {text: `and ${count(left)} more: Save JSON has them all`}) : null,
		el("h2", {}, "Policy actions"),
		model.actions.length
			? small(
					["Rule", "Action", "Result", "Done", "#Times"],
					model.actions.map(actionRow),
					"Policy actions",
				)
			: el("p.empty", {}, "No policy did anything."),
	);
}
