"""Reads the pictures of a folder with zbar and OpenCV: peers.py FOLDER

Prints one row of the table in BENCHMARKS.md for each reader: codes read, readable ones among them, wrong
texts, and processor time a picture in ms, median and 95th percentile.
"""

import json
import pathlib
import sys
import time

import cv2
from pyzbar import pyzbar

cv2.setNumThreads(1)


def zbar(picture):
    return [found.data.decode("utf-8", "replace") for found in pyzbar.decode(picture, [pyzbar.ZBarSymbol.QRCODE])]


def opencv(detector):
    def read(picture):
        return [text for text in [detector.detectAndDecode(picture)[0]] if text]

    return read


def measure(name, read, folder, scenes):
    right = readable = wrong = 0
    spent = []
    for scene in scenes:
        picture = cv2.imread(str(folder / scene["file"]), cv2.IMREAD_GRAYSCALE)
        before = time.thread_time()
        found = read(picture)
        spent.append((time.thread_time() - before) * 1000)
        if scene["text"] is not None and scene["text"] in found:
            right += 1
            readable += scene["readable"]
        wrong += any(text != scene["text"] for text in found)
    spent.sort()
    median, late = (spent[(len(spent) - 1) * percent // 100] for percent in (50, 95))
    print(f"| {name} | {right} | {readable} | {wrong} | {median:.1f} | {late:.1f} |")


folder = pathlib.Path(sys.argv[1])
scenes = json.loads((folder / "scenes.json").read_text())
measure("zbar 0.23", zbar, folder, scenes)
measure(f"OpenCV {cv2.__version__}", opencv(cv2.QRCodeDetector()), folder, scenes)
measure(f"OpenCV {cv2.__version__}, Aruco", opencv(cv2.QRCodeDetectorAruco()), folder, scenes)
