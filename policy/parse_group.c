/* parse_group.c: groups and lists of groups, by tables of what they may hold. */
#include <stdio.h>
#include <string.h>

#include "parse.h"

static const struct cg_config_key *find(const struct cg_config_key *keys, const char *name)
{
	for (; keys->name; keys++)
		if (strcmp(keys->name, name) == 0)
			return keys;
	return NULL;
}

static void refuse_key(struct cg_config *parse, const config_setting_t *setting, const struct cg_config_key *keys)
{
	struct cg_config_nearest nearest = {NULL, 0};
	char known[200] = "";
	size_t n = 0;
	for (; keys->name; keys++) {
		cg_config_nearest(&nearest, config_setting_name(setting), keys->name);
		if (n < sizeof known)
			n += (size_t)snprintf(known + n, sizeof known - n, "%s%s", n ? ", " : "", keys->name);
	}
	cg_config_error(parse, setting, "this key is unknown; the nearest is %s (here may stand: %s)", nearest.name,
	                known);
}

bool cg_config_group(struct cg_config *parse, const config_setting_t *group, const struct cg_config_key *keys,
                     void *fields)
{
	if (config_setting_type(group) != CONFIG_TYPE_GROUP) {
		cg_config_refuse_type(parse, group, "a group { name = value; }");
		return false;
	}
	for (int i = 0; i < config_setting_length(group); i++) {
		const config_setting_t *setting = config_setting_get_elem(group, (unsigned)i);
		const struct cg_config_key *key = find(keys, config_setting_name(setting));
		if (key)
			key->read(parse, setting, key, (char *)fields + key->offset);
		else
			refuse_key(parse, setting, keys);
	}
	return true;
}

void cg_config_list(struct cg_config *parse, const config_setting_t *list, cg_config_item *read)
{
	int type = config_setting_type(list), count = config_setting_length(list);
	if (type != CONFIG_TYPE_LIST && (type != CONFIG_TYPE_ARRAY || count)) {
		cg_config_refuse_type(parse, list, "a list of groups ( { ... }, { ... } )");
		return;
	}
	for (int i = 0; i < count; i++)
		read(parse, config_setting_get_elem(list, (unsigned)i));
}
