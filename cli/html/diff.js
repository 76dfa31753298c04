// diff.js: what has changed since the report that this one was compared with.

const CHANGES = {
	new: ["new", "was not there before"],
	grown: ["grown", "there are more of them"],
	gone: ["gone", "none is left"],
	shrunk: ["shrunk", "there are fewer of them"],
};

function diffOf(given, frames) {
	if (!given) return null;
	const raw = object(given),
		taken = new Set();
	return {
		raw,
		against: clean(raw.against),
		findings: list(raw.findings).map((one) => {
			const finding = findingOf(one, frames, taken);
			finding.change = clean(object(one).change);
			finding.before = number(object(one).count_before, 0);
			finding.now = finding.count;
			// What was there is told of, not that nothing is.
			if (finding.change === "gone") finding.count = finding.before;
			return finding;
		}),
	};
}

function changeItem(finding) {
	const [word, means] = known(CHANGES, finding.change) || [finding.change, ""];
	const item = el(
		"details.change." + (Object.hasOwn(CHANGES, finding.change) ? finding.change : "other"),
		{},
		el(
			"summary",
			{},
			el("span.badge", {text: word, title: means}),
			el("span.counts", {text: `${count(finding.before)} → ${count(finding.now)}`}),
			el("span.strong.code", {text: finding.site ? finding.site.name : "unknown"}),
			el("span.sub.code", {text: finding.site ? finding.site.where : ""}),
			el("span", {text: [kindLabel(finding.kind), causeLabel(finding.cause)].filter(Boolean).join(", ")}),
			el("span.muted", {text: finding.apps.join(", ")}),
		),
	);
	// Hundreds of details are made as they are opened.
	item.addEventListener("toggle", () => {
		if (item.open && item.childElementCount === 1)
			item.append(el("div.detail", {}, detailOf(finding, () => (item.open = false))));
	});
	return item;
}

function drawDiff(panel, view) {
	const {diff} = view.model;
	if (!diff) return;
	const numbers = ["new", "grown", "gone", "shrunk", "unchanged"]
		.map((name) => `${count(number(diff.raw[name], 0))} ${name}`)
		.join(", ");
	const unnamed = number(diff.raw.unnamed, 0);
	show(
		panel,
		el("p.lead", {text: `Compared with ${diff.against}: ${numbers}.`}),
		el("p" + (diff.raw.worse === true ? ".worse" : ".muted"), {
			text: diff.raw.worse === true ? "A leak is new or has grown." : "No leak is new, and none has grown.",
		}),
		unnamed
			? el("p.muted", {
					text: `${many(unnamed, "change")} of functions without names: they may be the same as others.`,
				})
			: null,
		diff.findings.length
			? el("div.changes", {}, diff.findings.map(changeItem))
			: el("p.empty", {}, "Nothing has changed."),
	);
}
