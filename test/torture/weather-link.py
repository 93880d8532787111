"""A network between this network namespace and another that loses, delays, narrows and cuts: two TUN devices, and what becomes of each
IP packet on its way from one to the other. Must not know TCP or MQTT.

Arguments: path of the other namespace, name of the device here, name of the device there, seed.
Standard input: lines of JSON, each a weather that holds from then on; its end ends the network. What a weather leaves out is fair:
  loss            share of packets lost, 0 to 1
  delayMs         each packet arrives so much later, and up to jitterMs more: packets may overtake each other
  bytesPerSecond  of each direction; what would wait for more than half a second is lost, as in a router with a short queue
  cut             nothing arrives
Standard output: "ready" when the devices are there.
"""

import ctypes
import fcntl
import heapq
import json
import os
import random
import select
import struct
import sys
import time

TUNSETIFF = 0x400454CA
IFF_TUN_WITHOUT_HEADER = 0x0001 | 0x1000
CLONE_NEWNET = 0x40000000
PACKET_BYTES = 65_536
LONGEST_QUEUE_S = 0.5


def open_tun(name):
    tun = os.open("/dev/net/tun", os.O_RDWR | os.O_NONBLOCK)
    fcntl.ioctl(tun, TUNSETIFF, struct.pack("16sH14x", name.encode(), IFF_TUN_WITHOUT_HEADER))
    return tun


def enter(namespace):
    libc = ctypes.CDLL(None, use_errno=True)
    with open(namespace) as file:
        if libc.setns(file.fileno(), CLONE_NEWNET) != 0:
            raise OSError(ctypes.get_errno(), "setns")


class Link:
    def __init__(self, here, there, seed):
        self.random = random.Random(seed)
        self.other = {here: there, there: here}
        self.free_at = {here: 0.0, there: 0.0}  # when the last packet towards a device has left the narrow place
        self.underway = []  # heap of (arrival, number, device, packet)
        self.number = 0
        self.weather = {}

    def take(self, device, now):
        try:
            packet = os.read(device, PACKET_BYTES)
        except OSError:  # none is there
            return False
        weather = self.weather
        if weather.get("cut") or self.random.random() < weather.get("loss", 0):
            return True
        to = self.other[device]
        leaves = max(now, self.free_at[to])
        if leaves - now > LONGEST_QUEUE_S:
            return True
        rate = weather.get("bytesPerSecond")
        if rate:
            leaves += len(packet) / rate
        self.free_at[to] = leaves
        late_ms = weather.get("delayMs", 0) + self.random.random() * weather.get("jitterMs", 0)
        self.number += 1
        heapq.heappush(self.underway, (leaves + late_ms / 1000, self.number, to, packet))
        return True

    def hand_on(self, now):
        while self.underway and self.underway[0][0] <= now:
            _, _, device, packet = heapq.heappop(self.underway)
            if self.weather.get("cut"):
                continue
            try:
                os.write(device, packet)
            except OSError:  # the device is not up yet, or its queue is full: lost
                pass

    def run(self, commands):
        text = b""
        while True:
            now = time.monotonic()
            timeout = max(0, self.underway[0][0] - now) if self.underway else None
            ready, _, _ = select.select([commands, *self.other], [], [], timeout)
            now = time.monotonic()
            for device in ready:
                if device == commands:
                    chunk = os.read(commands, 4096)
                    if chunk == b"":
                        return
                    *lines, text = (text + chunk).split(b"\n")
                    for line in lines:
                        self.weather = json.loads(line)
                else:
                    while self.take(device, now):
                        pass
            self.hand_on(time.monotonic())


def main():
    namespace, name_here, name_there, seed = sys.argv[1:]
    here = open_tun(name_here)
    enter(namespace)
    link = Link(here, open_tun(name_there), int(seed))
    print("ready", flush=True)
    link.run(sys.stdin.fileno())


main()
