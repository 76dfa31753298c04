"""A summary has a line for each group; those who want to know all of it want it as one."""


def joined(lines):
    """The lines of a log, with each summary that is complete as one, where its last line is."""
    begun, result = {}, []
    for line in lines:
        if line["event"] != "summary" or "part" not in line:
            result.append(line)
            continue
        parts = begun.setdefault(line["pid"], [])
        if line["part"] == 1:
            parts.clear()
        parts.append(line)
        if line["part"] == line["parts"] == len(parts):
            whole = {key: value for key, value in parts[0].items() if key not in ("part", "parts")}
            result.append({**whole, "groups": [group for part in parts for group in part["groups"]],
                           "actions": [action for part in parts for action in part["actions"]]})
    return result
