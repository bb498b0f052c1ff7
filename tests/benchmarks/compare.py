"""Timbre beside PyTorch, Keras and librosa on the CPU, and beside PyTorch and torchaudio on a GPU.

Same machine, same run, interleaved: each program is a worker that stays alive, and the rounds go through all of them in
turn, so that what else the machine does hits all alike. Medians over rounds, with their quartiles in brackets; x is a peer's
time over Timbre's. All sides compute in float32, without TF32.

    python3 compare.py --worker build/bin/bench_worker --torch PYTHON --keras PYTHON [--clips FOLDER]
    python3 compare.py --worker build/bin/bench_worker --torch PYTHON --device cuda
    python3 compare.py --worker build/bin/bench_worker --before OTHER_BUILD/bin/bench_worker

Tables (--tables): steps (forward, loss, backward, Adam; beside the floor), runs (1, 4 and 16 of the LSTM side by side),
features (segments in memory), stacked (those of
configs/logistic.yaml beside MFCCs alone and librosa's own calls), files (MFCCs from files, with --clips), kernels (those of features, beside a copy).

The floor of a step. On the CPU: its matrix products' operations at the rate of fma in registers, and then Adam's reading and
writing of every parameter and its two moments at the rate of a copy, since the two do not overlap; both rates are measured in
the same rounds. On a GPU: its matrix products' operations over the rate of a large sgemm, or the fewest bytes it must move over
the rate of a copy, whichever is longer (bench_worker.cpp says what is counted); where a step takes much longer, the chain of kernels that wait for one another is what bounds it.
"""
import argparse
import glob
import json
import os
import select
import statistics
import subprocess
import sys
import tempfile

HERE = os.path.dirname(os.path.abspath(__file__))
CONFIGS = next((c for c in (os.path.join(HERE, "../configs"), os.path.join(HERE, "../../configs")) if os.path.isdir(c)), ".")
COUNTS = {"cpu": {"mlp": 40, "cnn": 15, "lstm": 7, "gru": 7, "conv1d": 20, "crnn": 5},
          "cuda": {"mlp": 200, "cnn": 200, "lstm": 60, "gru": 30, "conv1d": 200, "crnn": 60}}
FLOOR = {"TIMBRE_BENCH": "floor"}  # (tells a worker of its own from the one that is measured)
# Recurrent networks have two algorithms on a GPU.
VARIANTS = {"lstm": [("cuDNN", {"TIMBRE_LSTM": "cudnn"}), ("own kernel", {"TIMBRE_LSTM": "own"})],
            "gru": [("cuDNN", {"TIMBRE_GRU": "cudnn"}), ("own kernels", {"TIMBRE_GRU": "own"})]}
VARIANTS["crnn"] = VARIANTS["gru"]
# With two rows of the batch a block a run alone is slower, and takes half of the multiprocessors.
TWO_ROWS = [("own kernel, two rows a block", {"TIMBRE_LSTM": "own", "TIMBRE_LSTM_SINGLE_ROWS": "0"})]


class Worker:
    def __init__(self, command, threads, environment=None):
        environment = dict(os.environ, OMP_NUM_THREADS=str(threads), MKL_NUM_THREADS=str(threads), OMP_WAIT_POLICY="PASSIVE",
                           **(environment or {}))
        for name in ("OPENBLAS_CORETYPE", "OPENBLAS_L2_SIZE"):
            environment.pop(name, None)
        self.process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=environment)
        self.why_dead = None

    def ask(self, job, limit=180):
        """The answer, a dictionary; {"error": ...} also where the worker ended or takes longer than limit seconds."""
        if not self.why_dead:
            try:
                self.process.stdin.write(job + "\n")
                self.process.stdin.flush()
                if not select.select([self.process.stdout], [], [], limit)[0]:
                    self.why_dead = f"no answer to '{job}' in {limit} s"
                    self.process.kill()
                elif answer := self.process.stdout.readline():
                    return json.loads(answer)
                else:
                    self.why_dead = f"the worker ended at '{job}'"
            except (OSError, ValueError) as e:
                self.why_dead = f"the worker ended at '{job}': {e}"
        return {"error": self.why_dead}

    def end(self):
        self.process.kill()
        self.process.wait()


def measure(sides, rounds):
    """{name: (worker, job)} -> {name: {"ms": median, "rounds": all}, or {"error": why}}, with what the first answer said."""
    out = {name: {"rounds": []} for name in sides}
    for _ in range(rounds):
        for name, (worker, job) in sides.items():
            if "error" in out[name]:
                continue
            answer = worker.ask(job)
            if "error" in answer:
                out[name] = {"error": answer["error"]}
                print(f"{name}: {job}: {answer['error']}", file=sys.stderr)
            else:
                out[name]["rounds"].append(answer.pop("ms"))
                out[name].update(answer)
    for result in out.values():
        if "rounds" in result:
            result["ms"] = statistics.median(result["rounds"])
    return out


def number(value):
    return "-" if value is None else f"{value:.0f}" if value >= 1000 else f"{value:.3g}"


def counted(n, what):
    return f"{n} {what}{'s' if n > 1 else ''}"


def ms(result):
    return result.get("ms") if result else None


def spread(result):
    """The median and its quartiles, as text."""
    if not ms(result):
        return None
    if len(result["rounds"]) < 3:
        return number(result["ms"])
    low, _, high = statistics.quantiles(result["rounds"], n=4, method="inclusive")
    return f"{number(result['ms'])} ({number(low)} to {number(high)})"


def percent(share):
    return None if share is None else f"{100 * share:.0f}%"


def over(a, b):
    return a / b if a is not None and b else None


class Comparison:
    def __init__(self, a):
        self.a, self.workers = a, {}
        self.results = {"device": a.device, "rounds": a.rounds}
        self.rates = {}

    def worker(self, name, threads, environment=None):
        """timbre, torch, keras or timbre on the cpu; made when it is first wanted. None: there is none."""
        key = (name, threads, tuple((environment or {}).items()))
        if key not in self.workers:
            a = self.a
            command = {"timbre": [a.worker, str(threads), a.device, a.configs],
                       "before": a.before and [a.before, str(threads), a.device, a.configs],
                       "cpu": [a.worker, str(threads), "cpu", a.configs],
                       "torch": a.torch and [a.torch, os.path.join(HERE, "torch_worker.py"), str(threads), a.device],
                       "keras": a.keras and [a.keras, os.path.join(HERE, "keras_worker.py"), str(threads)]}[name]
            self.workers[key] = Worker(command, threads, environment) if command else None
        return self.workers[key]

    def sides(self, timbre, peers, threads):
        """timbre: {name: (environment, job)}, peers: {name: (program, job)}; those that are there."""
        out = {name: (self.worker("timbre", threads, environment), job) for name, (environment, job) in timbre.items()}
        for name, (program, job) in peers.items():
            if worker := self.worker(program, threads):
                out[name] = (worker, job)
        return out

    def variants(self, network):
        return VARIANTS.get(network, [("", {})]) if self.a.device == "cuda" else [("", {})]

    def table(self, name, title, columns):
        print(f"\n{title}\n\n| {' | '.join(columns)} |\n|{' --- |' * len(columns)}", flush=True)
        self.results.setdefault(name, [])

    def row(self, name, result, cells):
        print("| " + " | ".join(c if isinstance(c, str) else number(c) for c in cells) + " |", flush=True)
        self.results[name].append(result)
        self.save()

    def save(self):
        if self.a.json:
            with open(self.a.json + ".new", "w") as file:
                json.dump(self.results, file, indent=1)
            os.replace(self.a.json + ".new", self.a.json)

    def steps(self, threads):
        cuda = self.a.device == "cuda"
        if cuda:
            peers = {"PyTorch eager": ("torch", "step"), "PyTorch graph": ("torch", "graph")}
            last = ["arithmetic ms", "memory ms", "Timbre / floor", "bound by"]
        else:
            peers = {"PyTorch": ("torch", "step"), "Keras": ("keras", "step")}
            last = ["floor ms", "floor / Timbre"]
        # (a peer that this call lacks keeps its columns, empty; an older build has columns only where it is asked for)
        if self.a.before:
            peers = {"before": ("before", "step")} | peers
        self.table("steps", f"A training step; {counted(threads, 'thread')}",
                   ["job", "Timbre ms"] + [c for p in peers for c in (p + " ms", "x")] + last)
        for network, batch in ((n, b) for n in self.a.networks for b in self.a.batches):
            count = self.a.steps or (COUNTS[self.a.device][network] if cuda or batch <= 20 else max(3, COUNTS["cpu"][network] // 4))
            job = f"{network} {batch} {count}"
            timbre = {variant: (environment, f"step {job} 1") for variant, environment in self.variants(network)}
            jobs = {p: (program, f"{kind} {job}") for p, (program, kind) in peers.items()}
            rates = {} if cuda else {r: (self.worker("cpu", threads, FLOOR), r) for r in ("fma", "copy")}
            found = measure(self.sides(timbre, jobs, threads) | rates, self.a.rounds)
            floor = self.gpu_floor(network, batch) if cuda else self.cpu_floor(network, batch, threads, found)
            least = max((v for k, v in floor.items() if k.endswith("_ms")), default=None)
            for variant in timbre:
                time, label = ms(found[variant]), f"{network.upper()} step, batch {batch}" + (f" ({variant})" if variant else "")
                cells = [label, spread(found[variant]) or "failed"]
                for p in peers:
                    cells += [spread(found.get(p)), over(ms(found.get(p)), time)]
                cells += [floor.get("arithmetic_ms"), floor.get("memory_ms")] if cuda else [least]
                cells += [over(time, least), self.bound(time, floor)] if cuda else [percent(over(least, time))]
                result = {"job": label, "network": network, "batch": batch, "variant": variant, "threads": threads,
                          "timbre": found[variant], "peers": {p: found[p] for p in peers if p in found}, "floor": floor}
                self.row("steps", result, cells)
        self.chosen("steps")

    def chosen(self, name):
        """What the device said it chose, once."""
        for note in dict.fromkeys(n for r in self.results[name] for n in r["timbre"].get("notes", [])):
            print(note, flush=True)

    def cpu_floor(self, network, batch, threads, found):
        cost, fma, copy = self.worker("cpu", threads, FLOOR).ask(f"cost {network} {batch}"), ms(found["fma"]), ms(found["copy"])
        if "error" in cost or not fma or not copy:
            return {}
        arithmetic, update = cost["flops"] * 1e-9 * fma, cost["update_bytes"] * 1e-9 * copy
        return {"gflop_s": 1e3 / fma, "copy_gb_s": 1e3 / copy, "arithmetic": arithmetic, "update": update,
                "arithmetic_and_update_ms": arithmetic + update}

    def gpu_floor(self, network, batch):
        cost = self.worker("timbre", 1).ask(f"cost {network} {batch}")
        if "error" not in cost and self.rates:
            cost["arithmetic_ms"] = cost["flops"] / self.rates["sgemm_tflop_s"] / 1e9
            cost["memory_ms"] = cost["bytes"] / self.rates["copy_gb_per_s"] / 1e6
        return cost

    def bound(self, time, floor):
        if not time or not self.rates or "flops" not in floor:
            return "-"
        longest = max(floor["arithmetic_ms"], floor["memory_ms"])
        if time < 2 * longest:
            return "arithmetic" if longest == floor["arithmetic_ms"] else "memory"
        if floor["chain"]:
            return f"{floor['chain']} dependent products, {1e3 * time / floor['chain']:.2f} us each"
        return f"dependent kernels: as long as {1e3 * time / self.rates['node_us']:.0f} that do nothing"

    def runs(self, threads):
        batch = self.a.batches[0]
        self.table("runs", f"Runs of the LSTM side by side, batch {batch}, each on a thread and a stream of its own",
                   ["job", "steps/s of all", "x of one"])
        count, numbers = self.a.steps or COUNTS[self.a.device]["lstm"], self.a.side_by_side
        found = measure({(variant, n): (self.worker("timbre", threads, environment), f"step lstm {batch} {count} {n}")
                         for variant, environment in self.variants("lstm") + (TWO_ROWS if self.a.device == "cuda" else [])
                         for n in numbers}, self.a.rounds)
        for (variant, n), result in found.items():
            rate, one = over(1e3 * n, ms(result)), over(1e3, ms(found.get((variant, 1))))
            label = counted(n, "run") + (f" ({variant})" if variant else "")
            self.row("runs", {"runs": n, "batch": batch, "variant": variant, "steps_per_second": rate, "timbre": result},
                     [label, rate or "failed", over(rate, one)])
        self.chosen("runs")

    def features(self, threads):
        n = self.a.segments
        self.table("features", f"Features of {n} segments of 3 s in memory, {counted(threads, 'thread')}: segments per second",
                   ["kind", "Timbre", "torchaudio", "x", "torchaudio, data stay on the device", "x", "Timbre on the CPU"])
        for kind in ("mfcc", "log_mel", "mel", "spectrogram"):
            peers = {"cpu": ("cpu", f"features {kind} {n}")} if self.a.device != "cpu" else {}
            if kind == "mfcc":
                peers |= {"torchaudio": ("torch", f"features mfcc {n}"), "resident": ("torch", f"resident mfcc {n}")}
            # (one round more, since the first warms up)
            found = measure(self.sides({"timbre": ({}, f"features {kind} {n}")}, peers, threads), self.a.rounds + 1)
            rate = {side: over(1e3 * n, ms(result)) for side, result in found.items()}
            cells = [kind, rate["timbre"] or "failed"]
            for peer in ("torchaudio", "resident"):
                cells += [rate.get(peer), over(rate["timbre"], rate.get(peer))]
            self.row("features", {"kind": kind, "threads": threads, "segments": n, "segments_per_second": rate, "found": found},
                     cells + [rate.get("cpu")])

    def stacked(self, threads):
        n = min(self.a.segments, 50)
        self.table("stacked", f"Features of configs/logistic.yaml, {n} segments of 3 s in memory, {counted(threads, 'thread')}",
                   ["ms a segment", "Timbre", "Timbre, 13 MFCCs alone", "librosa", "x"])
        sides = self.sides({"timbre": ({}, f"features stacked {n}"), "mfcc": ({}, f"features mfcc {n}")},
                           {"librosa": ("keras", f"stacked {n}")}, threads)
        found = measure(sides, self.a.rounds + 1)  # (the first warms up)
        for result in found.values():
            if "rounds" in result:
                result["rounds"] = [t / n for t in result["rounds"][1:]]
                result["ms"] = statistics.median(result["rounds"])
        self.row("stacked", {"threads": threads, "segments": n, "found": found},
                 ["stacked", spread(found["timbre"]) or "failed", spread(found["mfcc"]) or "failed", spread(found.get("librosa")),
                  over(ms(found.get("librosa")), ms(found["timbre"]))])

    def files(self, threads):
        if not self.a.clips:
            return
        self.table("files", f"MFCCs of all clips, decoding included; {counted(threads, 'thread')}",
                   ["job", "Timbre ms", "librosa ms", "x", "FFTs ms", "Timbre / FFTs"])
        with tempfile.NamedTemporaryFile("w", suffix=".txt") as listing:
            listing.write("\n".join(sorted(glob.glob(os.path.join(self.a.clips, "*", "*.wav")))))
            listing.flush()
            peers = {"librosa": ("keras", f"mfcc {listing.name}"), "before": ("before", f"mfcc {listing.name}")}
            sides = self.sides({"timbre": ({}, f"mfcc {listing.name}")}, peers, threads)
            found = measure(sides | {"FFTs": (self.worker("cpu", threads, FLOOR), f"fft {listing.name}")}, self.a.rounds)
        time, librosa, least = (ms(found.get(side)) for side in ("timbre", "librosa", "FFTs"))
        if "before" in found:
            print(f"(before: {spread(found['before'])} ms)")
        self.row("files", {"threads": threads, "found": found},
                 ["MFCCs of all clips", spread(found.get("timbre")) or "failed", spread(found.get("librosa")), over(librosa, time),
                  spread(found.get("FFTs")), over(time, least)])

    def measure_rates(self):
        """gpu_rates, which lies beside the worker. It needs cuBLAS, which the linker may not know."""
        program = os.path.join(os.path.dirname(self.a.worker), "gpu_rates")
        folders = [os.environ.get("TIMBRE_CUDA_LIBRARIES"), "/usr/local/cuda/lib64", os.environ.get("LD_LIBRARY_PATH")]
        environment = dict(os.environ, LD_LIBRARY_PATH=":".join(filter(None, folders)))
        command = [program] + ([str(self.a.mebibytes)] if self.a.mebibytes else [])
        try:
            done = subprocess.run(command, env=environment, timeout=120, text=True, capture_output=True)
            if done.returncode:
                raise OSError((done.stderr.strip() or f"exit status {done.returncode}").splitlines()[-1])
            self.rates = json.loads(done.stdout)
        except (OSError, ValueError, subprocess.TimeoutExpired) as e:
            self.results["no_rates"] = str(e)
            print(f"\nno floors: {e}", flush=True)
            return
        self.results["rates"] = self.rates
        r = self.rates
        print(f"\n{r['gpu']}: copy {r['copy_gb_per_s']:.0f} GB/s, sgemm {r['sgemm_tflop_s']:.3g} TFLOP/s, "
              f"{r['node_us']:.2f} us for a kernel in a graph", flush=True)

    def kernels(self, _):
        if not self.rates:
            return
        self.table("kernels", "Feature kernels: the bytes they must read and write, over their time",
                   ["kernel", "frames", "us", "GB/s", "of the copy's rate"])
        for k in self.rates["kernels"]:
            share = f"{100 * k['share_of_copy']:.0f}%"
            self.row("kernels", k, [k["kernel"], str(k["frames"]), k["us"], k["gb_per_s"], share])


def main():
    a = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    a.add_argument("--worker", required=True, help="bench_worker")
    a.add_argument("--before", help="bench_worker of another build, as one more peer")
    a.add_argument("--device", choices=["cpu", "cuda"], default="cpu")
    a.add_argument("--torch", help="a Python that has torch (and torchaudio)")
    a.add_argument("--keras", help="a Python that has keras, tensorflow, librosa")
    a.add_argument("--tables", default="", help="separated by commas; default: steps and files on the CPU, all but files on a GPU")
    a.add_argument("--configs", default=CONFIGS, help="folder of mlp.yaml, cnn.yaml, lstm.yaml, gru.yaml, crnn.yaml")
    a.add_argument("--clips", help="folder of <genre>/<clip>.wav at 22,050 Hz")
    a.add_argument("--rounds", type=int, default=7)
    a.add_argument("--threads", type=int, nargs="*", help="default: 1 and 2 on the CPU, one on a GPU")
    a.add_argument("--networks", nargs="+", choices=list(COUNTS["cpu"]),
                   help="default: all on the CPU; mlp, cnn and lstm on a GPU")
    a.add_argument("--batches", type=int, nargs="+", default=[20, 256])
    a.add_argument("--steps", type=int, help="in a block; default: by network and device")
    a.add_argument("--side-by-side", type=int, nargs="+", default=[1, 4, 16])
    a.add_argument("--segments", type=int, default=1000)
    a.add_argument("--mebibytes", type=int, help="what gpu_rates copies; its default: 512")
    a.add_argument("--json", help="a file for all that was measured, written anew after each row")
    a = a.parse_args()
    a.networks = a.networks or (list(COUNTS["cpu"]) if a.device == "cpu" else ["mlp", "cnn", "lstm"])
    comparison = Comparison(a)
    tables = a.tables.split(",") if a.tables else ["steps", "files"] if a.device == "cpu" else ["steps", "runs", "features", "kernels"]
    if a.device == "cuda" and {"steps", "kernels"} & set(tables):
        comparison.measure_rates()
    for threads in a.threads or ([1, 2] if a.device == "cpu" else [1]):
        for table in tables:
            getattr(comparison, table)(threads)
    comparison.save()
    for worker in comparison.workers.values():
        if worker:
            worker.end()


if __name__ == "__main__":
    main()
