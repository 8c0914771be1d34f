"""Files of options, wrong ones and odd ones that are fine."""

LAUGHS = b"a0: &a0 [x, x]\n" + b"".join(
    b"a%d: &a%d [%s]\n" % (k, k, b", ".join([b"*a%d" % (k - 1)] * 9)) for k in range(1, 12)
)
"""Eleven levels of nine references each."""

FILES: dict[str, bytes] = {
    "a list": b"- seed\n- 3\n",
    "a word": b"seed\n",
    "a number": b"3\n",
    "a colon": b":\n",
    "two colons": b"seed: 1: 2\n",
    "a tab before": b"\tseed: 1\n",
    "a tab inside": b"seed:\t1\n",
    "a key twice": b"seed: 1\nseed: 2\n",
    "models is a number": b"models: 3\n",
    "a tab for blanks": b"models:\n\tBPR: {epochs: 1}\n",
    "a section is a number": b"models: {BPR: 3}\n",
    "a key is a list": b"[a]: 1\n",
    "a section is misspelt": b"models: {BRP: {epochs: 1}}\n",
    "a section's key is misspelt": b"models: {BPR: {epohcs: 1}}\n",
    "models is misspelt": b"modles: {BPR: {epochs: 1}}\n",
    "base": b"base: UltraGCN\n",
    "variants": b"variants: {mine: {epochs: 1}}\n",
    "wraps": b"wraps: backbone\n",
    "a key is a number": b"1: 2\n",
    "a key is true": b"true: 2\n",
    "a key is null": b"~: 2\n",
    "a key is empty": b"'': 2\n",
    "two documents": b"seed: 1\n---\nseed: 2\n",
    "UTF-16": "seed: 1\n".encode("utf-16"),
    "Latin-1": "seed: 1 # caf\u00e9\n".encode("latin-1"),
    "zeros": bytes(20),
    "a zero": b"seed: 1\x00\n",
    "binary": bytes(range(256)),
    "a python object": b"seed: !!python/object/apply:os.getcwd []\n",
    "a tag": b"seed: !!int x\n",
    "binary tag": b"seed: !!binary x\n",
    "unknown tag": b"seed: !mine 1\n",
    "an unknown anchor": b"seed: *nowhere\n",
    "itself": b"seed: &a [*a]\n",
    "laughs": LAUGHS,
    "laughs as a value": LAUGHS + b"topk: *a11\n",
    "deep": b"seed: " + b"[" * 3000,
    "deep and closed": b"seed: " + b"[" * 3000 + b"]" * 3000,
    "a merge of a number": b"<<: 3\n",
    "an equals sign": b"seed: =\n",
    "a date": b"seed: 2026-11-21\n",
    "a directive": b"%YAML 9.9\n---\nseed: 1\n",
    "no end": b"seed: 'x\n",
    "octal": b"seed: 0o17\n",
    "base 60": b"seed: 1:30\n",
    "many digits": b"seed: " + b"9" * 5000 + b"\n",
    "minus": b"seed: -\n",
    "not a number": b"learning_rate: .nan\n",
    "infinite": b"learning_rate: .inf\n",
    "huge": b"learning_rate: 1e999\n",
    "yes": b"seed: yes\n",
    "nothing": b"seed:\n",
}
"""Files of options that are wrong."""

GOOD_FILES: dict[str, bytes] = {
    "empty": b"",
    "a remark": b"# nothing\n",
    "a byte order mark": b"\xef\xbb\xbfseed: 3\n",
    "Windows newlines": b"seed: 3\r\nepochs: 2\r\n",
    "no last newline": b"seed: 3",
    "a section of another model": b"models: {LightGCN: {epochs: 1}}\n",
}
"""Files of options that are fine."""
