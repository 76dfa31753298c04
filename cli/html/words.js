// words.js: what the names in a report mean, in plain words.

const KINDS = {
	close_wait: ["CLOSE_WAIT", "socket in CLOSE_WAIT", "sockets in CLOSE_WAIT"],
	dead_socket: ["dead socket", "dead socket", "dead sockets"],
	fin_wait1: ["FIN_WAIT1", "socket in FIN_WAIT1", "sockets in FIN_WAIT1"],
	fin_wait2: ["FIN_WAIT2", "socket in FIN_WAIT2", "sockets in FIN_WAIT2"],
	reset_on_close: ["reset on close", "reset on close", "resets on close"],
	double_close: ["double close", "double close", "double closes"],
	use_after_close: ["use after close", "use after close", "uses after close"],
	fd_exhaustion: ["out of descriptors", "shortage of descriptors", "shortages of descriptors"],
};

const CAUSES = {
	eof_ignored: ["EOF ignored", "a read returned 0 and the socket was not closed"],
	data_unread: ["data unread", "data waits in front of the peer's FIN, and nobody reads"],
	fin_unread: ["FIN unread", "the peer has closed and nobody has looked"],
	shared: ["shared", "closed here, but a dup, a child or another process keeps it open"],
	never_accepted: ["never accepted", "the peer has closed before the server called accept()"],
	half_close: ["half-close", "the peer has closed its side and ours is still in use"],
	late_close: ["late close", "closed, but long after the end was read"],
	half_closed: ["half-closed", "shut down, and the peer does not close its side"],
	unread_data: ["unread data", "unread data turned the close into a reset"],
	connect_failed: ["connect failed", "connect() failed and the socket was not closed"],
	linger_zero: ["linger 0", "SO_LINGER 0 turned the close into a reset"],
};

const KIND_CLAUSES = {
	dead_socket: "the connection is gone and the descriptor was not closed",
	fin_wait1: "the peer does not acknowledge the end",
	fin_wait2: "shut down, and the peer does not close its side",
	double_close: "the descriptor had been closed already",
	use_after_close: "the descriptor had been closed",
	fd_exhaustion: "file descriptors are running out",
};

// What happened and is over has a last time; sockets that are still there have an age.
const EVENT_KINDS = new Set(["reset_on_close", "double_close", "use_after_close"]);

const VERDICTS = {
	// worst first
	leak: {mark: "▲", label: "leak", means: "never closed: a bug in the program"},
	late: {mark: "◷", label: "late", means: "closed, but late: overload"},
	info: {mark: "i", label: "info", means: "for information: most likely meant so"},
};
const VERDICT_ORDER = Object.keys(VERDICTS);

const PLACES = {
	opened: "Opened",
	connected: "Connected",
	shut: "Shut down",
	eof: "EOF seen",
	last_use: "Last used",
	closed: "Closed by",
	here: "Called here",
};

// A name that this page does not know is from a newer closeguard: it is shown as it is.
const known = (table, name) => (Object.hasOwn(table, name) ? table[name] : null);
const kindLabel = (name) => known(KINDS, name)?.[0] || clean(name) || "unknown kind";
const causeLabel = (name) => known(CAUSES, name)?.[0] || clean(name);
const isEvent = (finding) => EVENT_KINDS.has(finding.kind) || finding.cause === "late_close";

function nounOf(finding) {
	if (finding.cause === "late_close") return many(finding.count, "late close");
	const names = known(KINDS, finding.kind);
	return names ? many(finding.count, names[1], names[2]) : many(finding.count, "socket");
}

// "37 sockets in CLOSE_WAIT, oldest 5m 12s: a read returned 0 and the socket was not closed"
function headline(finding) {
	const clause = known(KIND_CLAUSES, finding.kind) || known(CAUSES, finding.cause)?.[1];
	const oldest =
		finding.oldest === null
			? ""
			: (isEvent(finding) ? ", the last one " : ", oldest ") +
				age(finding.oldest) +
				(isEvent(finding) ? " ago" : "");
	return nounOf(finding) + oldest + (clause ? ": " + clause : "");
}

// Bug or overload, from what became of all connections of a place. Returns {verdict, short, text}. `given` is the
// finding's own verdict: only that one knows of pools and half-closes, which keep a connection on purpose.
function judgeHistory(history, given) {
	const never = number(history.never_closed, 0),
		late = number(history.closed_late, 0);
	const inTime = number(history.closed_in_time, 0);
	const facts = `${many(never, "connection")} never closed, ${count(late)} closed late, ${count(inTime)} in time`;
	if (!never && !late)
		return {verdict: "good", short: "in order", text: `Nothing is wrong at this place: ${facts}.`};
	if (given === "info")
		return {
			verdict: "info",
			short: "most likely meant so",
			text:
				`Neither a bug nor overload so far: ${facts}. ` +
				"Pools and half-closes look like this; only a number that grows is a bug.",
		};
	if (!late)
		return {
			verdict: "leak",
			short: "bug",
			text:
				`This looks like a bug: ${facts}. What is not closed in time here is never closed, ` +
				"so more workers or time would not help; a path through the code misses its close().",
		};
	if (never <= late)
		return {
			verdict: "late",
			short: "overload",
			text:
				`This looks like overload: ${facts}. The code does close its ` +
				"sockets, only late; look for a blocked loop, a slow backend or too few workers.",
		};
	return {
		verdict: "leak",
		short: "bug",
		text:
			`This looks like a bug: ${facts}. More are never closed than closed ` +
			"late; the late ones say that the program is short of time, too.",
	};
}
