import queue
import sys

import ldap
import ldap.ldapobject

from drive import bursts

handles = queue.LifoQueue()


def search():
    try:
        handle = handles.get_nowait()
    except queue.Empty:
        handle = ldap.ldapobject.ReconnectLDAPObject(f"ldap://127.0.0.1:{sys.argv[1]}", retry_max=3, retry_delay=0.1)
        handle.simple_bind_s()
    handle.search_s("", ldap.SCOPE_BASE)
    handles.put(handle)


bursts(search)
