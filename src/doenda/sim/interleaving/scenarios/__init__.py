"""The scenarios, one file a subject: each registers itself with `scene.scenario`. Importing this imports them all."""

import importlib
import pkgutil

for _module in sorted(module.name for module in pkgutil.iter_modules(__path__)):
    importlib.import_module(f"{__name__}.{_module}")
