"""The library behind *Convolutional Networks, Recomputed*.

Importing it is cheap: no torch, no device and no file is touched until something needs one. The rooms are
``arithmetic``, ``models``, ``data``, ``training``, ``figures`` and ``notebook``; import what you need from them.
"""

__version__ = "0.1.0"
