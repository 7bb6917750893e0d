"""The contracts: what is deployed, as it was compiled.

Importing this package imports nothing heavy.
"""

from __future__ import annotations

from steelyard.chain.artifact import Artifact, artifact_names, load_artifact

__all__ = ["Artifact", "artifact_names", "load_artifact"]
