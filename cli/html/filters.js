// filters.js: the bar that narrows down what all views show.

const TYPING_PAUSE_MS = 120;

// [[value, "label (n)"]…], the most frequent first.
function tally(findings, keyOf, labelOf) {
	const counts = new Map();
	for (const finding of findings)
		for (const key of [keyOf(finding)].flat()) if (key) counts.set(key, (counts.get(key) || 0) + 1);
	return [...counts]
		.sort((a, b) => b[1] - a[1])
		.map(([key, n]) => [key, `${labelOf(key)} (${count(n)})`]);
}

function processOptions(model) {
	const apps = tally(model.findings, (finding) => finding.apps, clean).map(([key, text]) => [
		"app:" + key,
		text,
	]);
	const hosts = tally(
		model.findings,
		(finding) => finding.hosts,
		(host) => "host " + clean(host),
	).map(([key, text]) => ["host:" + key, text]);
	return [...apps, ...(hosts.length > 1 ? hosts : [])];
}

function filterSelect(view, key, label, all, options) {
	const box = el(
		"select",
		{name: key, "data-filter": key, onchange: () => view.set({[key]: box.value, page: 1})},
		el("option", {value: ""}, all),
		options.map(([value, text]) => el("option", {value}, text)),
	);
	return el("label.field", {}, el("span", {text: label}), box);
}

function drawFilters(view) {
	const {model} = view,
		form = byId("filters");
	let pause = 0;
	const typed = () => view.set({q: text.value, page: 1}, {replace: true});
	const text = el("input", {
		type: "search",
		name: "q",
		id: "q",
		"data-filter": "q",
		placeholder: "Function, file, module, " + "program, address…",
		"aria-keyshortcuts": "/",
		oninput: () => {
			clearTimeout(pause);
			pause = setTimeout(typed, TYPING_PAUSE_MS);
		},
	});
	const more = el(
		"button.small.narrow-only",
		{
			type: "button",
			id: "more-filters",
			"aria-expanded": "false",
			"aria-controls": "filter-fields",
			onclick: () => {
				const open = more.getAttribute("aria-expanded") !== "true";
				more.setAttribute("aria-expanded", String(open));
				fields.classList.toggle("open", open);
			},
		},
		"Filters",
	);
	const fields = el(
		"div.fields",
		{id: "filter-fields"},
		filterSelect(
			view,
			"verdict",
			"Verdict",
			"all",
			tally(model.findings, (finding) => finding.verdict, clean),
		),
		filterSelect(
			view,
			"kind",
			"Kind",
			"all",
			tally(model.findings, (finding) => finding.kind, kindLabel),
		),
		filterSelect(
			view,
			"cause",
			"Cause",
			"all",
			tally(model.findings, (finding) => finding.cause, causeLabel),
		),
		filterSelect(view, "process", "Program or host", "all", processOptions(model)),
		filterSelect(
			view,
			"status",
			"Status",
			"all",
			tally(
				model.findings,
				(finding) => (finding.resolved ? "resolved" : "open"),
				(key) => key,
			),
		),
		el("button.small", {type: "button", id: "clear", onclick: view.clear}, "Clear"),
	);
	form.addEventListener("submit", (event) => {
		event.preventDefault();
		clearTimeout(pause);
		typed();
	});
	show(form, el("label.field.q", {}, el("span", {}, "Filter"), text), more, fields);
}

// The bar follows the state, which may come from the address.
function syncFilters(view) {
	if (byId("filters").hidden) return;
	for (const field of byId("filters").querySelectorAll("[data-filter]")) {
		const value = view.state[field.dataset.filter];
		if (field !== document.activeElement || field.tagName === "SELECT") field.value = value;
		if (field.tagName === "SELECT" && field.value !== value)
			field.append(el("option", {value, selected: true}, value.replace(/^(app|host):/, "")));
	}
	byId("clear").disabled = !isFiltered(view.state);
	const on = FILTERS.filter((key) => key !== "q" && view.state[key]).length;
	byId("more-filters").textContent = on ? `Filters (${on})` : "Filters";
}

function drawShown(view) {
	const {model, findings, state} = view;
	const sockets = findings.reduce((sum, finding) => sum + leakedBy(finding), 0);
	const part = isFiltered(state) ? `${count(findings.length)} of ` : "";
	const all = many(model.findings.length, "finding");
	byId("shown").textContent = model.findings.length
		? `${part}${all}, ${many(sockets, "leaked socket")}`
		: "";
}
