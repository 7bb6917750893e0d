"""The contracts: compiled artifacts of everything that is deployed.

Importing this package imports no heavy dependency.
"""

from __future__ import annotations

from steelyard.chain.artifact import Artifact, artifact_names, load_artifact

__all__ = ["Artifact", "artifact_names", "load_artifact"]
