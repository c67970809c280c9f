"""Which codecs the environment has: those of installed packages, as DataJoint itself finds them."""

import dis
import inspect
import types
from importlib.metadata import entry_points

import datajoint
from datajoint import codecs as registry

# DataJoint looks in both, in this order.
GROUPS = ("datajoint.codecs", "datajoint.types")


def find():
    """Codecs with their origins, and for entry points that cannot be loaded what went wrong.

    As `_load_entry_points` of DataJoint 2.3.5, but for the origins.
    """
    known = registry._codec_registry
    built_in = set(known)
    found, failures = {}, []
    for group in GROUPS:
        for point in entry_points(group=group):
            if point.name in known:
                continue
            before = set(known)
            try:
                loaded = point.load()
                if point.name not in known and hasattr(loaded, "name"):
                    known[point.name] = loaded()
            except BaseException as error:
                failures.append(f"{point.name} ({point.value}): {type(error).__name__}: {error}")
            # A module may define more codecs than its entry points name.
            for name in set(known) - before:
                package = f"{point.dist.name} {point.dist.version}" if point.dist else "unknown"
                kind = type(known[name])
                found[name] = f"{package} ({kind.__module__}:{kind.__qualname__})"
    # What a package has put in the place of a built-in codec does not count.
    names = sorted(name for name in found if name not in built_in)
    for name in names:
        # An old entry point may call its codec otherwise than the codec itself.
        if known[name].name != name:
            known[name].name = name
    return [(known[name], found[name]) for name in names], failures


def describe(codec, origin):
    """What the proxy must know of a codec."""
    kind = type(codec)
    writes = issubclass(kind, getattr(datajoint, "SchemaCodec", ()))
    return {
        "name": codec.name,
        "origin": origin,
        "dtypes": [dtype(codec, is_store) for is_store in (False, True)],
        "writes": writes,
        "uses_key": not writes and uses(kind.encode, "key"),
        "own_references": kind.referenced_paths is not registry.Codec.referenced_paths
        if hasattr(registry.Codec, "referenced_paths")
        else False,
    }


def dtype(codec, is_store):
    try:
        found = codec.get_dtype(is_store)
        if not isinstance(found, str):
            name = type(found).__name__
            return {"error": f"<{codec.name}>: get_dtype returned {name}, not str"}
        return {"dtype": found}
    except datajoint.DataJointError as error:
        return {"error": str(error)}
    except Exception as error:
        text = f": {error}" if str(error) else ""
        return {"error": f"<{codec.name}>: {type(error).__name__}{text}"}


def uses(function, name):
    """Whether a function looks at its parameter `name`; when in doubt, yes."""
    if not isinstance(function, types.FunctionType) or hasattr(function, "__wrapped__"):
        return True
    try:
        if name not in inspect.signature(function).parameters:
            return False
    except (TypeError, ValueError):
        return True
    for instruction in dis.get_instructions(function):
        argument = instruction.argval
        names = argument if isinstance(argument, tuple) else (argument,)
        if instruction.opname.startswith("STORE"):
            continue
        # `super` and `locals` may see it without its name.
        if any(found in (name, "locals", "vars", "eval", "exec", "_getframe") for found in names):
            return True
    return False
