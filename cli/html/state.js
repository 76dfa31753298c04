// state.js: what is shown of the report: the view, the filters, the order, the open finding. Kept behind the # of the
// page's address, so that a link shows the same.

const START = {
	view: "findings",
	q: "",
	kind: "",
	cause: "",
	verdict: "",
	process: "",
	status: "",
	sort: "-verdict",
	page: 1,
	size: 50,
	finding: "",
	stack: "opened",
	fn: "",
	spread: "stacked",
};
const PAGE_SIZES = [25, 50, 100, 250];
const FILTERS = ["q", "kind", "cause", "verdict", "process", "status"];

function stateFrom(hash) {
	const state = {...START},
		given = new URLSearchParams(hash.replace(/^#/, ""));
	for (const [key, value] of given)
		if (Object.hasOwn(START, key))
			state[key] =
				typeof START[key] === "number"
					? Number.parseInt(value, 10) || START[key]
					: value;
	if (!Object.hasOwn(VIEWS, state.view)) state.view = START.view;
	if (!Object.hasOwn(ORDERS, state.sort.replace(/^-/, ""))) state.sort = START.sort;
	if (!PAGE_SIZES.includes(state.size)) state.size = START.size;
	if (!TREE_PLACES.includes(state.stack)) state.stack = START.stack;
	return state;
}

function hashOf(state) {
	const changed = new URLSearchParams();
	for (const [key, value] of Object.entries(state))
		if (value !== START[key]) changed.set(key, String(value));
	return "#" + changed;
}

const isFiltered = (state) => FILTERS.some((key) => state[key] !== "");

// A word matches in a frame of one of the stacks, or in what the finding says itself. All words must.
function textFilter(query, frames) {
	const words = query
		.toLowerCase()
		.split(/\s+/)
		.filter(Boolean)
		.map((word) => {
			const hits = new Set();
			for (const frame of frames) if (frame.search.includes(word)) hits.add(frame);
			return {word, hits};
		});
	return (finding) =>
		words.every(({word, hits}) => comesThrough(finding, hits) || ownText(finding).includes(word));
}

function comesThrough(finding, frames) {
	if (frames.size)
		for (const place of finding.places.values())
			if (place.stack.some((frame) => frames.has(frame))) return true;
	return false;
}

// "app:NAME", "host:NAME" or "" for all.
function processFilter(value) {
	const name = value.slice(value.indexOf(":") + 1);
	if (value.startsWith("app:")) return (finding) => finding.apps.includes(name);
	return value.startsWith("host:") ? (finding) => finding.hosts.includes(name) : null;
}

function filtered(model, state) {
	const tests = [];
	for (const key of ["verdict", "kind", "cause"])
		if (state[key]) tests.push((finding) => finding[key] === state[key]);
	if (state.status) tests.push((finding) => finding.resolved === (state.status === "resolved"));
	if (processFilter(state.process)) tests.push(processFilter(state.process));
	if (state.q.trim()) tests.push(textFilter(state.q, model.frames));
	return tests.length
		? model.findings.filter((finding) => tests.every((test) => test(finding)))
		: model.findings;
}

const severity = (finding) =>
	(finding.resolved ? 0 : 10) +
	VERDICT_ORDER.length -
	(VERDICT_ORDER.indexOf(finding.verdict) + 1 || VERDICT_ORDER.length);

// The value to sort by; what is unknown comes last either way.
const ORDERS = {
	verdict: severity,
	count: (finding) => finding.count,
	oldest: (finding) => finding.oldest,
	what: (finding) => kindLabel(finding.kind) + " " + causeLabel(finding.cause),
	site: (finding) => (finding.site ? finding.site.name + " " + finding.site.where : null),
	process: (finding) =>
		finding.processes.length ? finding.processes[0].app + " " + finding.processes[0].name : null,
	rate: (finding) => finding.rate,
	first: (finding) => finding.first,
};
const compareText = new Intl.Collator("en", {numeric: true}).compare;

function compare(one, other) {
	return typeof one === "string" ? compareText(one, other) : one - other;
}

function sorted(findings, order) {
	const descending = order.startsWith("-"),
		value = ORDERS[order.replace(/^-/, "")];
	const keyed = findings.map((finding) => ({finding, key: value(finding)}));
	keyed.sort((a, b) => {
		if (a.key === null || b.key === null) return (a.key === null) - (b.key === null);
		return (
			(descending ? compare(b.key, a.key) : compare(a.key, b.key)) ||
			b.finding.count - a.finding.count ||
			(b.finding.oldest || 0) - (a.finding.oldest || 0)
		);
	});
	return keyed.map((one) => one.finding);
}
