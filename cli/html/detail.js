// detail.js: all of one finding: what it is, what to do, its stacks, sockets, processes and close delays.

const STACK_ORDER = ["opened", "eof", "last_use", "connected", "shut", "closed", "here"];
const ALWAYS_SHOWN = ["opened", "eof", "last_use"];

const NO_STACK = {
	opened: "Not known: it was open before closeguard could see it.",
	eof: "No read of this program returned 0 where closeguard could see it.",
	last_use: "No use of it was seen.",
};

// How many of the outermost frames all stacks have in common: where their paths part is where to look.
function sharedCallers(stacks) {
	const given = stacks.filter((stack) => stack.length);
	if (given.length < 2) return 0;
	let shared = 0;
	const fromOutside = (stack) => stack[stack.length - 1 - shared];
	while (fromOutside(given[0]) && given.every((stack) => fromOutside(stack) === fromOutside(given[0])))
		shared++;
	return shared;
}

function frameItem(frame, first) {
	return el(
		"li.frame" + (frame.library ? ".library" : "") + (first ? ".site" : ""),
		{title: frame.path || frame.address},
		el("span.function", {text: frame.name}),
		frame.inlined ? el("span.tag", {}, "inlined") : null,
		el(
			"span.where",
			{},
			frame.name === frame.address ? null : el("span", {text: frame.where}),
			frame.file && frame.module ? el("span.module", {text: frame.module}) : null,
		),
	);
}

function stackText(place) {
	const head =
		`${PLACES[place.key]}: ${place.call || "?"}()` +
		(place.thread ? ` in thread ${place.thread}` : "") +
		(place.age === null ? "" : `, ${age(place.age)} ago`);
	return (
		[
			head,
			...place.stack.map(
				(frame, i) =>
					`  #${i} ${frame.name}` +
					(frame.path ? ` at ${frame.path}` : "") +
					(frame.address && frame.address !== frame.name
						? ` (${frame.address})`
						: "") +
					(frame.inlined ? " [inlined]" : ""),
			),
		].join("\n") + "\n"
	);
}

function stackCard(key, place, shared, site) {
	const head = el(
		"header",
		{},
		el("h4", {text: PLACES[key]}),
		place && place.stack.length ? copyButton(() => stackText(place)) : null,
	);
	if (!place)
		return el(
			"section.stack.absent",
			{"data-stack": key},
			head,
			el("p.muted", {text: NO_STACK[key] || "Not known."}),
		);
	const parting = place.stack.length - shared;
	const frames = place.stack.map((frame, i) => [
		shared && i === parting && parting
			? el("li.parting", {}, el("span", {}, "the same callers"))
			: null,
		frameItem(frame, site && frame.address === site.address && frame.name === site.name),
	]);
	return el(
		"section.stack",
		{"data-stack": key},
		head,
		el(
			"p.call",
			{},
			place.call ? el("code", {text: place.call + "()"}) : null,
			place.thread ? el("span", {text: "thread " + place.thread}) : null,
			place.age === null ? null : el("span", {text: age(place.age) + " ago"}),
		),
		frames.length ? el("ol.frames", {}, frames) : el("p.muted", {}, "No stack was taken."),
	);
}

function stacksOf(finding) {
	const keys = STACK_ORDER.filter((key) => ALWAYS_SHOWN.includes(key) || finding.places.has(key));
	const shared = sharedCallers(keys.map((key) => finding.places.get(key)?.stack || []));
	return el(
		"div.stacks",
		{},
		keys.map((key) => stackCard(key, finding.places.get(key), shared, finding.site)),
	);
}

const AGE_SOURCES = {
	eof: "since a read returned 0",
	kernel: "by the kernel; a little more at most",
	first_seen: "since it was first seen so; may be older",
};

function ageCell(socket) {
	const most = number(socket.age_max_s);
	return el(
		"td.number",
		{title: AGE_SOURCES[socket.age_source] || null},
		age(socket.age_s),
		most === null ? null : el("span.muted", {text: " to " + age(most)}),
	);
}

function polledText(polled) {
	if (polled === null || polled === undefined) return "no";
	return typeof polled === "number" ? "epoll fd " + polled : polled;
}

function holdersText(socket) {
	if (socket.shared_with === "unknown") return "unknown";
	const commands = list(socket.shared_with_commands);
	const texts = list(socket.shared_with).map((pid, i) => (commands[i] ? pid + " (" + commands[i] + ")" : pid));
	return texts.join(", ") || "none";
}

const shownOr = (value, fallback = "unknown") =>
	value === null || value === undefined || value === "" ? fallback : value;

function socketRow(socket) {
	return el(
		"tr",
		{},
		el("td.number", {text: shownOr(socket.fd)}),
		el("td", {text: shownOr(socket.state)}),
		el("td.code", {text: shownOr(socket.local)}),
		el("td.code", {text: shownOr(socket.peer)}),
		ageCell(socket),
		el("td.number", {text: bytes(socket.unread_bytes)}),
		el("td.number", {text: bytes(socket.unsent_bytes)}),
		el("td", {text: polledText(socket.polled_by)}),
		el("td", {text: holdersText(socket)}),
		el("td", {text: processName(socket)}),
	);
}

function small(headings, rows, label) {
	return el(
		"div.scroll",
		{tabindex: 0, role: "region", "aria-label": label},
		el(
			"table.small",
			{},
			el(
				"thead",
				{},
				el(
					"tr",
					{},
					headings.map((text) =>
						el("th" + (text.startsWith("#") ? ".number" : ""), {
							scope: "col",
							text: text.replace("#", ""),
						}),
					),
				),
			),
			el("tbody", {}, rows),
		),
	);
}

function socketsOf(finding) {
	if (!finding.sockets.length) return null;
	const all =
		finding.sockets.length < finding.count
			? ` (${count(finding.sockets.length)} of ${count(finding.count)})`
			: "";
	return el(
		"section",
		{},
		el("h4", {text: "Sockets" + all}),
		small(
			[
				"#fd",
				"State",
				"Local",
				"Peer",
				"#Age",
				"#Unread",
				"#Unsent",
				"Polled by",
				"Shared with",
				"Process",
			],
			finding.sockets.map(socketRow),
			"Sockets",
		),
	);
}

const PROCESSES_SHOWN = 50;

function processesSection(finding) {
	if (finding.processes.length < 2) return null;
	const rows = [...finding.processes]
		.sort((a, b) => (b.count || 0) - (a.count || 0))
		.slice(0, PROCESSES_SHOWN);
	const left = finding.processes.length - rows.length;
	return el(
		"section",
		{},
		el("h4", {text: many(finding.processes.length, "process", "processes")}),
		small(
			["Program", "Process", "#Sockets"],
			rows.map((one) =>
				el(
					"tr",
					{},
					el("td", {text: one.app || "unknown"}),
					el("td", {text: one.name}),
					el("td.number", {text: count(one.count)}),
				),
			),
			"Processes",
		),
		left ? el("p.muted", {text: `and ${count(left)} more`}) : null,
	);
}

function historySection(finding) {
	if (!finding.history) return null;
	return el(
		"section.history",
		{},
		el("h4", {}, "Close delays at this place"),
		histogram(finding.history),
		el("div", {}, outcomeBar(finding.history), verdictOnHistory(finding)),
	);
}

// What stands between backticks is a name.
function inCode(text) {
	return text.split("`").map((part, i) => (i % 2 ? el("code", {text: part}) : part));
}

const peerText = (one) => `${clean(object(one).peer)} × ${count(number(object(one).count, 0))}`;

function facts(finding) {
	const one = finding.processes.length === 1 ? finding.processes[0] : null;
	const pairs = [
		[
			"Verdict",
			(VERDICTS[finding.verdict]?.means || finding.verdict) +
				(finding.confidence === null
					? ""
					: `; ${Math.round(100 * finding.confidence)}% sure`),
		],
		["Label", finding.label],
		["Peers", list(finding.raw.peers).map(peerText).join(", ")],
		["Process", one && [one.app, one.name].filter(Boolean).join(" ")],
		["First seen", finding.first !== null && stamp(finding.first)],
		["Last seen", finding.last !== null && stamp(finding.last)],
		["In all", finding.total !== null && many(finding.total, "socket")],
		["Origin", finding.origin !== "seen" && finding.origin],
		["Status", finding.resolved && "resolved: none is left"],
	];
	return el(
		"dl.facts",
		{},
		pairs
			.filter(([, value]) => value)
			.map(([name, value]) => el("div", {}, el("dt", {text: name}), el("dd", {text: value}))),
	);
}

// The lines around the place, where the command had the file.
function sourceOf(finding) {
	const source = object(finding.raw.source),
		first = number(source.first),
		lines = list(source.lines);
	if (first === null || !lines.length) return null;
	return el(
		"section.source",
		{},
		el("h4", {text: baseName(source.file) + ":" + clean(source.line)}),
		source.changed === true
			? el("p.muted", {}, "The file has changed since: the lines may be others.")
			: null,
		el(
			"pre",
			{tabindex: 0, "aria-label": "Lines of source", title: clean(source.file)},
			lines.map((text, i) =>
				el(
					"span.line" + (first + i === source.line ? ".here" : ""),
					{},
					el("span.line-number", {text: first + i}),
					el("code", {text: clean(String(text).replaceAll("\t", "    "))}),
				),
			),
		),
	);
}

function detailOf(finding, close) {
	return el(
		"div.detail-body",
		{role: "region", "aria-label": "Finding " + finding.id},
		el(
			"div.detail-head",
			{},
			el("h3", {text: headline(finding)}),
			el("button.small", {type: "button", "data-close": "", onclick: close}, "Close"),
		),
		finding.advice
			? el("p.advice", {}, el("strong", {}, "What to do: "), inCode(finding.advice))
			: null,
		facts(finding),
		sourceOf(finding),
		stacksOf(finding),
		el("div.detail-rest", {}, historySection(finding), processesSection(finding)),
		socketsOf(finding),
	);
}
