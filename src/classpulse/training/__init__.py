"""From FER-2013 to a model file: look, train, tune, evaluate, export. The only place that knows torch.

Needs the extra `classpulse[train]`. Read in this order: `faces/faceset.py` (what a face with its labels is),
`faces/layouts.py` (the files it comes in), `networks/` (a page each), `trainer.py` (the loop). Nothing that watches a
class imports it: the live pipeline opens what `export/` made.
"""

import os

# Threads that spin while they wait bring a run to a near stop as soon as anything else wants a core: a run beside a
# test suite was measured to lose nine tenths of its speed. It has to be said before torch is loaded.
os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
