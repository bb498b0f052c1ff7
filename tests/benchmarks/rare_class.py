#!/usr/bin/env python3
"""Recall of a rare class with and without class weights.

    rare_class.py RUN_EXPERIMENT FEATURES_30_SEC.CSV CLASS...

takes nine of ten clips of a class away from a table of features of GTZAN (configs/external_mlp.yaml says which), splits the
rest at random by clip, and trains the MLP with five seeds, with training.class_weights null and balanced; so for each of the
classes. Prints the recall of the rare class over its test clips and the accuracy, as means over seeds; over all classes with
their intervals. Needs h5py and NumPy.
"""
import csv
import pathlib
import subprocess
import sys
import tempfile

import h5py
import numpy as np

# Of the mean over five splits of 50/10/40: t of four degrees of freedom, times the square root of 1/5 + 0.4/0.5.
INTERVAL = 2.776445 * (1 / 5 + 0.4 / 0.5) ** 0.5

program, table, classes = pathlib.Path(sys.argv[1]).resolve(), pathlib.Path(sys.argv[2]).resolve(), sys.argv[3:]
config = pathlib.Path(__file__).resolve().parents[2] / "configs/external_mlp.yaml"
rows = list(csv.reader(open(table)))
label = rows[0].index("label")


def without_most(rare, target):
    seen = 0
    with open(target, "w", newline="") as f:
        writer = csv.writer(f)
        writer.writerow(rows[0])
        for row in rows[1:]:
            seen += row[label] == rare
            if row[label] != rare or seen % 10 == 0:
                writer.writerow(row)


def figures(folder, rare, weights, seed):
    """Recall of the class, accuracy."""
    out = folder / f"{rare}-{weights}-{seed}"
    settings = [f"features.external.file={folder / (rare + '.csv')}", "split.lists=null", "split.groups=null", "split.train=0.5",
                "split.validation=0.1", "split.test=0.4", f"seed={seed}", f"training.class_weights={weights}"]
    subprocess.run([program, config, "--out", out, "--threads", "1"] + [x for s in settings for x in ("--set", s)],
                   check=True, cwd=folder, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    with h5py.File(out / "result.h5") as f:
        names = [n.decode() if isinstance(n, bytes) else n for n in f["label_names"][...]]
        return float(f["test/per_class/recall"][names.index(rare)]), float(f["test"].attrs["accuracy"])


with tempfile.TemporaryDirectory() as name:
    folder, means = pathlib.Path(name), {}
    for rare in classes:
        without_most(rare, folder / f"{rare}.csv")
        for weights in ["null", "balanced"]:
            seeds = np.array([figures(folder, rare, weights, seed) for seed in range(5)])
            means.setdefault(weights, []).append(seeds)
            recall, accuracy = seeds.mean(axis=0)
            print(f"{rare:10} class_weights {weights:8}  recall {recall:.2f}  accuracy {accuracy:.3f}", flush=True)
    seeds = {weights: np.mean(values, axis=0) for weights, values in means.items()}  # over the classes: [seeds, 2]
    seeds["difference"] = seeds["balanced"] - seeds["null"]
    for weights, values in seeds.items():
        (recall, accuracy), (r, a) = values.mean(axis=0), INTERVAL * values.std(axis=0, ddof=1)
        print(f"{'all':10} {weights:10}  recall {recall:.2f} ± {r:.2f}  accuracy {accuracy:.3f} ± {a:.3f}  (95% over seeds, Nadeau and Bengio)")
