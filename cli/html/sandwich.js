// sandwich.js: one function with all that calls it above and all that it calls below, whichever stacks they come from.

const FUNCTIONS_SHOWN = 200;

// All functions of these stacks, each with the sockets whose stacks it is in (total) and ends (self).
function functionsOf(findings, key) {
	const functions = new Map();
	for (const finding of findings) {
		const stack = finding.places.get(key)?.stack || [],
			seen = new Set();
		stack.forEach((frame, i) => {
			const id = byFunction(frame);
			if (!functions.has(id)) functions.set(id, {id, frame, total: 0, self: 0});
			if (i === 0) functions.get(id).self += finding.weight;
			if (!seen.has(id)) functions.get(id).total += finding.weight;
			seen.add(id);
		});
	}
	return [...functions.values()].sort((a, b) => b.self - a.self || b.total - a.total);
}

// {callers, callees}: trees that begin with the function. Of a recursion, its outermost frame is meant.
function aroundFunction(findings, key, id) {
	const callers = nodeOf(null, null, ""),
		callees = nodeOf(null, null, "");
	const add = (root, frames, weight) => {
		let node = root;
		for (const frame of [null, ...frames]) {
			if (frame) node = childOf(node, byFunction(frame), frame, frame.name);
			node.count += weight;
			node.findings++;
		}
	};
	for (const finding of findings) {
		const stack = finding.places.get(key)?.stack || [],
			at = stack.findLastIndex((frame) => byFunction(frame) === id);
		if (at < 0) continue;
		callers.name = callees.name = stack[at].name;
		add(callers, stack.slice(at + 1), finding.weight);
		add(callees, stack.slice(0, at).reverse(), finding.weight);
	}
	return {callers, callees};
}

function functionRow({id, frame, total, self}, chosen, choose) {
	return el(
		"tr" + (id === chosen ? ".chosen" : "") + (frame.library ? ".library" : ""),
		{},
		el(
			"td",
			{},
			el("button.plain", {
				type: "button",
				"data-choice": "fn",
				"data-value": id,
				"aria-pressed": String(id === chosen),
				title: frame.path || frame.address,
				onclick: () => choose(id),
				text: frame.name,
			}),
			el("span.sub", {text: frame.module}),
		),
		el("td.number", {text: count(self)}),
		el("td.number", {text: count(total)}),
	);
}

function half(title, flame, empty) {
	return el(
		"section",
		{},
		el("h4", {text: title}),
		childrenOf(flame.root).length ? flame.box : el("p.muted", {text: empty}),
		childrenOf(flame.root).length ? flame.status : null,
	);
}

function drawSandwich(panel, view) {
	const {state, findings} = view,
		functions = functionsOf(findings, state.stack);
	const chosen = functions.find((one) => one.id === state.fn) || functions[0];
	const lead = "Choose a function: above it stands what calls it, below it what it calls, as wide as the sockets that came that way.";
	if (!chosen) {
		show(
			panel,
			el("div.tools", {}, placeChoice(view)),
			el("p.empty", {}, "There is no such stack among these findings."),
		);
		return;
	}
	const {callers, callees} = aroundFunction(findings, state.stack, chosen.id),
		flames = [new Flame(callers, true), new Flame(callees)];
	const rows = functions
		.slice(0, FUNCTIONS_SHOWN)
		.map((one) => functionRow(one, chosen.id, (fn) => view.set({fn})));
	show(
		panel,
		el("div.tools", {}, placeChoice(view)),
		el("p.lead", {text: lead}),
		el(
			"div.sandwich",
			{},
			el("div.functions", {}, small(["Function", "#Ends here", "#In all"], rows, "Functions")),
			el(
				"div.halves",
				{},
				half("What calls it", flames[0], "Nothing does: the stacks begin here."),
				el("p.middle", {}, el("strong.code", {text: chosen.frame.name}), el("span.muted", {
					text: ` ${many(chosen.total, "socket")}, ${chosen.frame.path || chosen.frame.address}`,
				})),
				half("What it calls", flames[1], "Nothing: the stacks end here."),
			),
		),
	);
	flames.forEach((flame) => flame.draw());
	view.onresize = () => flames.forEach((flame) => flame.draw());
}
