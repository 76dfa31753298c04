// table.js: the findings, a page at a time: sorted by a click on a heading, opened by a click or Enter.
//
// Pages rather than a list that is filled in while it is scrolled: the browser's own search, printing and screen
// readers see whole rows, and one page is drawn in a few milliseconds whatever the number of findings.

const COLUMNS = [
	{key: "verdict", label: "Verdict", descendingFirst: true, cell: verdictCell},
	{key: "count", label: "Count", number: true, descendingFirst: true, cell: countCell},
	{
		key: "oldest",
		label: "Oldest",
		number: true,
		descendingFirst: true,
		cell: (finding) => [finding.oldest === null || finding.resolved ? "–" : age(finding.oldest)],
	},
	{
		key: "what",
		label: "What",
		cell: (finding) => [
			el("span.strong", {text: kindLabel(finding.kind)}),
			el("span.sub", {text: causeLabel(finding.cause)}),
		],
	},
	{key: "site", label: "Site", cell: siteCell},
	{key: "process", label: "Process", cell: processCell},
	{key: "rate", label: "Growth", number: true, descendingFirst: true, cell: rateCell},
	{key: "first", label: "First seen", descendingFirst: true, cell: firstCell},
];

function verdictBadge(verdict) {
	const {mark, label, means} = (Object.hasOwn(VERDICTS, verdict) && VERDICTS[verdict]) || {
		mark: "?",
		label: verdict,
	};
	return el(
		"span.badge." + (Object.hasOwn(VERDICTS, verdict) ? verdict : "info"),
		{title: means},
		el("span", {"aria-hidden": "true"}, mark),
		" ",
		label,
	);
}

function verdictCell(finding) {
	const sure = finding.confidence === null ? "" : Math.round(100 * finding.confidence) + "% sure";
	return [verdictBadge(finding.verdict), el("span.sub", {text: finding.resolved ? "resolved" : sure})];
}

function countCell(finding) {
	return [
		count(finding.count),
		finding.resolved && finding.total ? el("span.sub", {text: "of " + count(finding.total)}) : null,
	];
}

function siteCell(finding) {
	const frame = finding.site;
	return [
		el("span.strong.code", {
			text: frame ? frame.name : "unknown",
			title: frame ? frame.path || frame.address : null,
		}),
		el("span.sub.code", {
			text: frame && frame.where !== frame.name ? frame.where : "",
			title: frame ? frame.path : null,
		}),
		finding.label ? el("span.tag", {text: finding.label}) : null,
	];
}

function processCell(finding) {
	const {processes, apps, hosts} = finding;
	const app = apps.length > 2 ? `${apps[0]} and ${apps.length - 1} more` : apps.join(", ");
	const where =
		processes.length === 1
			? processes[0].name
			: `${many(processes.length, "process", "processes")}` +
				(hosts.length > 1
					? ` on ${many(hosts.length, "host")}`
					: hosts.length
						? ` on ${hosts[0]}`
						: "");
	return [
		el("span.strong", {text: app || "unknown"}),
		el("span.sub", {text: processes.length ? where : ""}),
	];
}

function rateCell(finding) {
	const rate = finding.rate,
		size = Math.abs(rate ?? 0);
	if (rate === null) return ["–"];
	const text = size < 0.05 ? "0" : (rate > 0 ? "+" : "−") + (size < 10 ? size.toFixed(1) : count(Math.round(size)));
	return [el("span", {title: "a minute, as its processes measured it last"}, `${text}/min`)];
}

function firstCell(finding) {
	if (finding.first === null) return ["–"];
	const [day, time] = stamp(finding.first).split(" ");
	return [el("span", {text: time}), el("span.sub", {text: day})];
}

function heading(column, view) {
	const {state} = view,
		active = state.sort.replace(/^-/, "") === column.key;
	const descending = active ? state.sort.startsWith("-") : null;
	const next = (active ? !descending : column.descendingFirst) ? "-" + column.key : column.key;
	return el(
		"th" + (column.number ? ".number" : ""),
		{
			scope: "col",
			"data-column": column.key,
			"aria-sort": active ? (descending ? "descending" : "ascending") : "none",
		},
		el(
			"button",
			{type: "button", onclick: () => view.set({sort: next, page: 1})},
			column.label,
			el("span.arrow", {"aria-hidden": "true"}, active ? (descending ? "▼" : "▲") : ""),
		),
	);
}

function row(finding, view, focusable) {
	const open = view.state.finding === finding.id;
	return el(
		"tr.finding" + (finding.resolved ? ".resolved" : ""),
		{
			"data-id": finding.id,
			tabindex: focusable ? 0 : -1,
			"aria-expanded": String(open),
			onclick: () => !getSelection().toString() && view.toggle(finding),
		},
		COLUMNS.map((column) =>
			el(
				"td." + column.key + (column.number ? ".number" : ""),
				{"data-label": column.label},
				column.cell(finding),
			),
		),
	);
}

function rowsOf(findings, view) {
	const atOpen = findings.some((finding) => finding.id === view.state.finding);
	return findings.flatMap((finding, i) => {
		const open = finding.id === view.state.finding;
		const main = row(finding, view, atOpen ? open : i === 0);
		return open
			? [
					main,
					el(
						"tr.detail",
						{"data-detail": finding.id},
						el(
							"td",
							{colspan: COLUMNS.length},
							detailOf(finding, () => view.toggle(finding)),
						),
					),
				]
			: [main];
	});
}

function moveTo(from, step) {
	const rows = [...from.closest("tbody").querySelectorAll("tr.finding")];
	const to = rows[rows.indexOf(from) + step];
	if (!to) return;
	from.tabIndex = -1;
	to.tabIndex = 0;
	to.focus();
}

const ROW_STEPS = {ArrowDown: 1, ArrowUp: -1, j: 1, k: -1};

function onRowKey(event, view) {
	const at = event.target.closest("tr.finding, tr.detail");
	if (!at || event.ctrlKey || event.metaKey || event.altKey) return;
	if (event.key === "Escape" && view.state.finding) {
		event.preventDefault();
		view.close();
	} else if (event.target.matches("tr.finding") && (event.key === "Enter" || event.key === " ")) {
		event.preventDefault();
		view.toggle(view.model.findings.find((finding) => finding.id === at.dataset.id));
	} else if (event.target.matches("tr.finding") && ROW_STEPS[event.key]) {
		event.preventDefault();
		moveTo(at, ROW_STEPS[event.key]);
	}
}

function pager(view, pages) {
	const {state} = view,
		all = view.findings.length;
	const first = (state.page - 1) * state.size + 1,
		last = Math.min(all, state.page * state.size);
	const step = (label, page, off) =>
		el(
			"button.small",
			{
				type: "button",
				disabled: off,
				"data-page": label.toLowerCase(),
				onclick: () => view.set({page}),
			},
			label,
		);
	return el(
		"nav.pager",
		{"aria-label": "Pages of findings"},
		el("span.range", {text: `${count(first)}–${count(last)} of ${count(all)}`}),
		pages > 1 && [
			step("First", 1, state.page <= 1),
			step("Previous", state.page - 1, state.page <= 1),
			step("Next", state.page + 1, state.page >= pages),
			step("Last", pages, state.page >= pages),
		],
		all > PAGE_SIZES[0] &&
			select(
				"Rows",
				PAGE_SIZES.map((size) => [String(size), String(size)]),
				String(state.size),
				(value) => view.set({size: Number(value), page: 1}),
			),
	);
}

// Where rows are cards there are no headings to click.
function sortSelect(view) {
	const orders = COLUMNS.flatMap((column) => [
		["-" + column.key, column.label + " ▼"],
		[column.key, column.label + " ▲"],
	]);
	const field = select("Sort by", orders, view.state.sort, (sort) => view.set({sort, page: 1}));
	field.classList.add("sort", "narrow-only");
	return field;
}

function select(label, options, value, onchange) {
	const box = el(
		"select",
		{onchange: () => onchange(box.value)},
		options.map(([key, text]) => el("option", {value: key, selected: key === value}, text)),
	);
	return el("label.field", {}, el("span", {text: label}), box);
}

function drawFindings(panel, view) {
	const {state} = view,
		ordered = sorted(view.findings, state.sort);
	if (!ordered.length) {
		show(
			panel,
			view.model.findings.length
				? el(
						"div.nothing",
						{id: "no-match"},
						el("h2", {}, "No finding matches"),
						el(
							"p",
							{},
							el(
								"button",
								{type: "button", onclick: view.clear},
								"Clear the filters",
							),
						),
					)
				: nothingFound(view.model),
		);
		return;
	}
	const pages = Math.ceil(ordered.length / state.size);
	if (view.reveal)
		// the open finding decides, once, which page is shown
		state.page =
			1 +
			Math.max(
				0,
				Math.floor(ordered.findIndex((one) => one.id === state.finding) / state.size),
			);
	state.page = Math.min(Math.max(1, state.page), pages);
	const page = ordered.slice((state.page - 1) * state.size, state.page * state.size);
	show(
		panel,
		sortSelect(view),
		el(
			"table.findings",
			{"aria-label": "Findings", onkeydown: (event) => onRowKey(event, view)},
			el(
				"thead",
				{},
				el(
					"tr",
					{},
					COLUMNS.map((column) => heading(column, view)),
				),
			),
			el("tbody", {}, rowsOf(page, view)),
		),
		pager(view, pages),
	);
}
