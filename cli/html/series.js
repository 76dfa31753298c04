// series.js: how many sockets stood in CLOSE_WAIT at which time, by process.
//
// A point is what a sweep counted; until the next one, that is what is known.

const SERIES = 7; // further processes are added up
const MOST_TIMES = 800; // more points than pixels help nobody

const OVER = new Set(["exited", "killed", "execed"]);

function sourceNames(model) {
	const names = new Map(),
		ends = new Map();
	for (const source of model.sources) {
		const key = clean(source.host) + "\n" + clean(source.pid);
		names.set(key, clean(source.app));
		if (OVER.has(source.state) && when(source.to) !== null)
			ends.set(key, when(source.to));
	}
	return {names, ends};
}

// [{name, points: [[ms, count]…], end}], the largest first.
function timelineSeries(model, process) {
	const {names, ends} = sourceNames(model),
		byProcess = new Map();
	for (const point of model.timeline) {
		const ms = when(point.time),
			n = number(point.count),
			key = clean(point.host) + "\n" + clean(point.pid);
		if (ms === null || n === null) continue;
		if (!byProcess.has(key))
			byProcess.set(key, {
				name: [names.get(key), processName(point)].filter(Boolean).join(" "),
				app: names.get(key) || "",
				host: clean(point.host),
				points: [],
				end: ends.get(key) ?? null,
			});
		byProcess.get(key).points.push([ms, n]);
	}
	const wanted = process.slice(process.indexOf(":") + 1);
	const chosen = [...byProcess.values()].filter(
		(one) => !process || (process.startsWith("host:") ? one.host : one.app) === wanted,
	);
	for (const one of chosen) {
		one.points.sort((a, b) => a[0] - b[0]);
		one.peak = one.points.reduce((most, [, n]) => Math.max(most, n), 0);
	}
	return chosen.sort((a, b) => b.peak - a.peak);
}

function timesOf(series) {
	const all = [...new Set(series.flatMap((one) => [...one.points.map(([ms]) => ms), one.end]))]
		.filter((ms) => ms !== null)
		.sort((a, b) => a - b);
	if (all.length <= MOST_TIMES) return all;
	const step = (all.length - 1) / (MOST_TIMES - 1);
	return Array.from({length: MOST_TIMES}, (_, i) => all[Math.round(i * step)]);
}

// The value of a series at each of the times: the last one known; nothing before the first and after the end. Between
// two of the times the largest counts: a peak is what one looks for.
function valuesAt({points, end}, times) {
	let next = 0,
		last = 0;
	return times.map((time) => {
		let most = null;
		for (; next < points.length && points[next][0] <= time; next++) {
			last = points[next][1];
			most = Math.max(most ?? 0, last);
		}
		return end !== null && time >= end && next >= points.length ? 0 : (most ?? last);
	});
}

function addUp(rows, length) {
	return Array.from({length}, (_, i) => rows.reduce((sum, row) => sum + row[i], 0));
}

// At most SERIES rows and one of the others.
function rowsFor(series, times, spread) {
	const rows = series.map((one) => ({name: one.name, values: valuesAt(one, times)}));
	if (spread === "total")
		return [
			{
				name: "all processes",
				values: addUp(
					rows.map((one) => one.values),
					times.length,
				),
			},
		];
	const rest = rows.splice(SERIES);
	if (rest.length)
		rows.push({
			name: `${rest.length} others`,
			values: addUp(
				rest.map((one) => one.values),
				times.length,
			),
		});
	return rows;
}
