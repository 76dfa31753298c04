# The demo: real leaking programs under the shim, and their reports.
demo: all
	$(Q)demo/run.sh $(BUILD)
