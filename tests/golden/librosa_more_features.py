"""Reference values of librosa 0.11 for the features beside the four first ones, for lists of features, for changes over time
and for summaries, in float64 from float32 samples.

    python tests/golden/librosa_more_features.py

librosa_more_features.h5, as librosa_features.h5
    /signals/NAME      float32 [segments, samples]; short and song are those of librosa_features.h5
    /cases/NN          attributes options (YAML), signal; frames int32 [n] (which ones are kept);
                       values float32 [segments, n, F]; attribute total: number of all frames
"""
import pathlib

import h5py
import librosa
import numpy as np
import yaml

from librosa_features import SR, extract as extract_first, signals as first_signals, sixteen_bit

HERE = pathlib.Path(__file__).parent
STFT = ("n_fft", "hop_length", "win_length", "window", "center", "pad_mode")
CALLS = {
    "spectral_centroid": librosa.feature.spectral_centroid,
    "spectral_bandwidth": librosa.feature.spectral_bandwidth,
    "spectral_rolloff": librosa.feature.spectral_rolloff,
    "spectral_flatness": librosa.feature.spectral_flatness,
    "spectral_contrast": librosa.feature.spectral_contrast,
    "chroma_stft": librosa.feature.chroma_stft,
    "onset_strength": librosa.onset.onset_strength,
    "tempo": librosa.feature.tempo,
}


def signals():
    rng = np.random.default_rng(11)
    out = {"short": first_signals()["short"], "song": first_signals()["song"]}
    n = 12345
    impulse = np.zeros(n)
    impulse[6001] = 1
    t = np.arange(n) / SR
    chord = sum(0.2 * np.sin(2 * np.pi * f * t) for f in (223.1, 281.3, 334.7))  # 0.24 of a semitone above 440 Hz
    odd = np.stack([np.full(n, 0.25), impulse, 0.3 * rng.standard_normal(n), chord + 1e-3 * rng.standard_normal(n)])
    out["odd"] = sixteen_bit(odd)
    t = np.arange(n) / SR
    out["chords"] = sixteen_bit(np.stack(
        [sum(0.2 / h * np.sin(2 * np.pi * h * f * 2 ** (tuning / 12) * t) for f in (220, 277.18, 329.63) for h in (1, 2, 3))
         + 1e-3 * rng.standard_normal(n) for tuning in (0.31, -0.18)]))
    rate, m = 8000, 80000  # 10 s of beats, 132 and 75 a minute
    beats = []
    for bpm in (132, 75):
        t = np.arange(m) / rate
        phase = t % (60 / bpm)
        beats.append(np.exp(-40 * phase) * np.sin(2 * np.pi * 180 * phase) * 0.7 + 0.01 * rng.standard_normal(m))
    out["beats"] = sixteen_bit(np.stack(beats))
    return out


CASES = (
    [("song", {"kind": kind}) for kind in
     ["rms", "zero_crossing_rate", "spectral_centroid", "spectral_bandwidth", "spectral_rolloff", "spectral_flatness",
      "spectral_contrast", "chroma_stft", "onset_strength"]]
    + [(signal, {"kind": kind}) for signal in ["short", "odd"] for kind in
       ["rms", "zero_crossing_rate", "spectral_centroid", "spectral_bandwidth", "spectral_rolloff",
        "spectral_flatness", "spectral_contrast", "onset_strength"]]
    + [
        # (The tuning of a click is that of rounding: its spectrum has no peaks.)
        ("short", {"kind": "chroma_stft", "tuning": 0.0}),
        ("chords", {"kind": "chroma_stft"}),
        ("chords", {"kind": "chroma_stft", "n_fft": 1023, "hop_length": 300, "norm": "-inf"}),
        ("chords", {"kind": "chroma_stft", "n_chroma": 24, "norm": 1.0, "octwidth": None}),
        ("chords", {"kind": "chroma_stft", "sample_rate": 6000, "n_fft": 512, "hop_length": 500, "center": False,
                    "norm": 0.0}),
        ("short", {"kind": "rms", "frame_length": 1001, "hop_length": 300, "pad_mode": "reflect"}),
        ("short", {"kind": "rms", "frame_length": 512, "hop_length": 700, "center": False}),
        ("short", {"kind": "rms", "frame_length": 40000, "hop_length": 16001, "pad_mode": "edge"}),  # a single frame
        ("short", {"kind": "zero_crossing_rate", "frame_length": 777, "hop_length": 200, "center": False}),
        ("short", {"kind": "zero_crossing_rate", "pad": True, "threshold": 0.01}),
        ("short", {"kind": "zero_crossing_rate", "zero_pos": False, "threshold": 0.5, "ref_magnitude": 0.25}),
        ("odd", {"kind": "spectral_centroid", "n_fft": 601, "hop_length": 250, "win_length": 401, "window": "hamming"}),
        ("odd", {"kind": "spectral_centroid", "n_fft": 4096, "hop_length": 1000, "center": False}),
        ("short", {"kind": "spectral_bandwidth", "p": 3.0}),
        ("short", {"kind": "spectral_bandwidth", "p": 1.0, "norm": False, "n_fft": 1024, "hop_length": 333}),
        ("short", {"kind": "spectral_bandwidth", "norm": False, "pad_mode": "reflect"}),
        ("odd", {"kind": "spectral_rolloff", "roll_percent": 0.5, "n_fft": 1000, "hop_length": 123}),
        ("odd", {"kind": "spectral_rolloff", "roll_percent": 0.99, "sample_rate": 16000}),
        ("short", {"kind": "spectral_flatness", "power": 1.0, "amin": 1e-6}),
        ("short", {"kind": "spectral_flatness", "power": 1.5, "n_fft": 255, "hop_length": 100, "window": "blackman"}),
        ("odd", {"kind": "spectral_flatness", "n_fft": 12000, "hop_length": 3000}),
        ("short", {"kind": "spectral_contrast", "fmin": 100.0, "n_bands": 4, "quantile": 0.2}),
        ("odd", {"kind": "spectral_contrast", "linear": True, "n_fft": 1024, "hop_length": 200}),
        ("odd", {"kind": "spectral_contrast", "n_bands": 1, "fmin": 5000.0, "quantile": 0.9, "n_fft": 301, "hop_length": 97}),
        ("odd", {"kind": "chroma_stft", "tuning": 0.0}),
        ("odd", {"kind": "chroma_stft", "tuning": -0.37, "norm": 2.0, "base_c": False}),
        ("odd", {"kind": "chroma_stft", "tuning": 0.5, "n_chroma": 13, "ctroct": 4.0, "octwidth": 1.0, "norm": "none"}),
        ("short", {"kind": "onset_strength", "lag": 2, "max_size": 3, "aggregate": "median"}),
        ("short", {"kind": "onset_strength", "max_size": 4, "center": False, "n_fft": 1024, "hop_length": 256,
                   "n_mels": 61}),
        ("song", {"kind": "onset_strength", "detrend": True, "fmax": 8000.0, "mel_scale": "htk", "power": 1.0}),
        ("short", {"kind": "onset_strength", "lag": 40}),  # more than there are frames
        ("beats", {"kind": "tempo", "sample_rate": 8000}),
        ("beats", {"kind": "tempo", "sample_rate": 8000, "hop_length": 256, "start_bpm": 70.0, "std_bpm": 0.5,
                   "ac_size": 3.0, "max_tempo": None}),
        ("song", {"kind": "mfcc", "n_mfcc": 13, "delta": 1}),
        ("short", {"kind": "log_mel", "n_mels": 20, "delta": 2, "delta_width": 5}),
        ("song", {"kind": "chroma_stft", "delta": 2}),
        ("short", {"kind": "rms", "hop_length": 1777, "delta": 1}),  # as many frames as the width
        ("song", [{"mfcc": {"n_mfcc": 13}}, {"chroma_stft": {"tuning": 0.0}}, {"rms": {}}, {"spectral_contrast": {}}]),
        ("short", [{"spectral_centroid": {"n_fft": 1024, "hop_length": 256}},
                   {"mfcc": {"n_fft": 1024, "hop_length": 256, "n_mfcc": 5, "n_mels": 40, "delta": 2}},
                   {"zero_crossing_rate": {"hop_length": 256, "frame_length": 600}},
                   {"spectral_rolloff": {"n_fft": 512, "hop_length": 256}}]),
        ("song", {"summary": ["mean", "std"], "stack": [{"mfcc": {"n_mfcc": 13}}, {"chroma_stft": {}}, {"rms": {}}]}),
        ("song", {"kind": "spectral_flatness", "summary": ["std"]}),
    ]
)


def one(y, o):
    """[F, T] of one kind."""
    o = dict(o)
    delta, width = o.pop("delta", 0), o.pop("delta_width", 9)
    kind, sr = o["kind"], o.get("sample_rate", SR)
    if kind in ("mfcc", "log_mel", "mel", "spectrogram"):
        x = extract_first(y, o)
    else:
        o.pop("kind")
        o.pop("sample_rate", None)
        if kind == "rms":
            x = librosa.feature.rms(y=y, dtype=np.float64, **o)
        elif kind == "zero_crossing_rate":
            x = librosa.feature.zero_crossing_rate(y, **o)
        else:
            if kind == "chroma_stft" and "norm" in o:
                o["norm"] = {"none": None, "inf": np.inf, "-inf": -np.inf}.get(o["norm"], o["norm"])
            if kind == "onset_strength":
                o["aggregate"] = np.median if o.get("aggregate") == "median" else np.mean
                o["htk"] = o.pop("mel_scale", "slaney") == "htk"
            if kind == "spectral_flatness":
                x = CALLS[kind](y=y, **o)
            else:
                x = CALLS[kind](y=y, sr=sr, **o)
            if kind == "tempo":  # it stands in every frame
                x = np.full((1, 1 + len(y) // o.get("hop_length", 512)), x[0])
            x = np.atleast_2d(x)
    return np.vstack([x] + [librosa.feature.delta(x, width=width, order=k) for k in range(1, delta + 1)])


def extract(y, options):
    if isinstance(options, list):
        options = {"stack": options}
    options = dict(options)
    summary, stack = options.pop("summary", None), options.pop("stack", None)
    parts = [dict(v, kind=k) for part in stack for k, v in part.items()] if stack else [options]
    x = np.vstack([one(y, o) for o in parts])
    if summary:
        x = np.concatenate([{"mean": x.mean, "std": x.std}[name](axis=1) for name in summary])[:, None]
    return x


def main():
    packed = {"compression": "gzip", "compression_opts": 9, "shuffle": True}
    with h5py.File(HERE / "librosa_more_features.h5", "w") as f:
        f.attrs["librosa"] = librosa.__version__
        data = signals()
        for name in ["odd", "chords", "beats"]:
            f.create_dataset(f"signals/{name}", data=data[name], **packed)
        for i, (signal, options) in enumerate(CASES):
            values = np.stack([extract(y.astype(np.float64), options).T for y in data[signal]])
            assert np.isfinite(values).all(), options
            total = values.shape[1]
            budget = max(6, min(40, 2048 // values.shape[2] // len(values)))  # frames kept
            ends = [0, 1, 2, total - 3, total - 2, total - 1]
            kept = sorted({k for k in ends if 0 <= k < total}
                          | {int(k) for k in np.linspace(2, total - 1, max(0, budget - 6), dtype=int) if k < total})
            g = f.create_group(f"cases/{i:02}")
            g.attrs["options"] = yaml.safe_dump(options, default_flow_style=True, width=1000).strip()
            g.attrs["signal"] = signal
            g.attrs["total"] = np.int64(total)
            g["frames"] = np.array(kept, np.int32)
            g.create_dataset("values", data=values[:, kept].astype(np.float32), **packed)


if __name__ == "__main__":
    main()
