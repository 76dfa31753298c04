import sys

import paho.mqtt.client as mqtt

client = mqtt.Client()
client.connect("127.0.0.1", int(sys.argv[1]), keepalive=5)
client.loop_start()
for line in sys.stdin:
    for _ in range(int(line)):
        client.publish("a", "b").wait_for_publish()
    print("done", flush=True)
client.disconnect()
client.loop_stop()
