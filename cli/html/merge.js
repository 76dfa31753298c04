// merge.js: the stacks of many findings as one tree, from the outermost caller to the call itself.

const TREE_PLACES = ["opened", "eof", "last_use"];

// In the tree, another line of a function is another place; in the flame graph a function is one frame.
const byLine = (frame) => frame.name + "\n" + frame.path + "\n" + frame.module;
const byFunction = (frame) => frame.name + "\n" + frame.module;

function nodeOf(parent, frame, name) {
	return {
		parent,
		frame,
		name,
		count: 0,
		findings: 0,
		children: new Map(),
		depth: parent ? parent.depth + 1 : 0,
	};
}

function childOf(parent, key, frame, name) {
	let node = parent.children.get(key);
	if (!node) parent.children.set(key, (node = nodeOf(parent, frame, name)));
	return node;
}

function addStack(root, place, weight, keyOf) {
	let node = root;
	for (let i = place.stack.length - 1; i >= 0; i--) {
		node.count += weight;
		node.findings++;
		node = childOf(node, keyOf(place.stack[i]), place.stack[i], place.stack[i].name);
	}
	node.count += weight;
	node.findings++;
	if (place.call) {
		node = childOf(node, "call " + place.call, null, place.call + "()");
		node.count += weight;
		node.findings++;
	}
}

// Returns {root, without}: how many findings have no such stack.
function mergeStacks(findings, key, keyOf) {
	const root = nodeOf(null, null, "all");
	let without = 0;
	for (const finding of findings) {
		const place = finding.places.get(key);
		if (place && place.stack.length) addStack(root, place, finding.weight, keyOf);
		else without++;
	}
	return {root, without};
}

const childrenOf = (node) => (node.sorted ||= [...node.children.values()].sort((a, b) => b.count - a.count));

function pathOf(node) {
	const path = [];
	for (let at = node; at.parent; at = at.parent) path.unshift(at);
	return path;
}

// One line per stack, outermost first, and its count: what flame graph tools read.
function foldedText(findings, key) {
	const lines = new Map();
	for (const finding of findings) {
		const place = finding.places.get(key);
		if (!place || !place.stack.length) continue;
		const names = [...place.stack]
			.reverse()
			.map((frame) => frame.name)
			.concat(place.call ? [place.call] : []);
		const line = names.map((name) => name.replace(/[;\s]+/g, " ")).join(";");
		lines.set(line, (lines.get(line) || 0) + finding.weight);
	}
	return [...lines]
		.sort((a, b) => b[1] - a[1])
		.map(([line, n]) => line + " " + n + "\n")
		.join("");
}

function placeChoice(view) {
	return choice(
		"stack",
		"Which stack",
		TREE_PLACES.map((key) => [key, PLACES[key]]),
		view.state.stack,
		(stack) => view.set({stack}),
	);
}

function withoutText(without, key) {
	const text = `${many(without, "finding has", "findings have")} no stack of “${PLACES[key]}”.`;
	return without ? el("p.muted", {text}) : null;
}
