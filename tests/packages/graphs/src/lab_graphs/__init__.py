"""NetworkX graphs: `<graph>` and `<weighted_graph>`, packed by `<blob>` in the row or in a store."""

import datajoint as dj
import networkx as nx


class GraphCodec(dj.Codec):
    """An undirected graph with its attributes, kept as two lists."""

    name = "graph"

    def get_dtype(self, is_store):
        return "<blob>"

    def validate(self, value):
        if not isinstance(value, nx.Graph):
            raise TypeError(f"expected a networkx Graph, got {type(value).__name__}")

    def encode(self, value, *, key=None, store_name=None):
        return {"nodes": list(value.nodes(data=True)), "edges": list(value.edges(data=True))}

    def decode(self, stored, *, key=None):
        graph = nx.Graph()
        graph.add_nodes_from(stored["nodes"])
        graph.add_edges_from(stored["edges"])
        return graph


class WeightedGraphCodec(dj.Codec):
    """A graph in which every edge has a weight; kept as three lists of one length, and the nodes."""

    name = "weighted_graph"

    def get_dtype(self, is_store):
        return "<blob>"

    def validate(self, value):
        if not isinstance(value, nx.Graph):
            raise TypeError(f"expected a networkx Graph, got {type(value).__name__}")
        bare = [f"{a}-{b}" for a, b, weight in value.edges(data="weight") if weight is None]
        if bare:
            raise ValueError(f"edges without a weight: {', '.join(bare)}")

    def encode(self, value, *, key=None, store_name=None):
        edges = list(value.edges(data="weight"))
        return {
            "nodes": list(value.nodes),
            "from": [a for a, _, _ in edges],
            "to": [b for _, b, _ in edges],
            "weight": [float(weight) for _, _, weight in edges],
        }

    def decode(self, stored, *, key=None):
        graph = nx.Graph()
        graph.add_nodes_from(stored["nodes"])
        graph.add_weighted_edges_from(zip(stored["from"], stored["to"], stored["weight"]))
        return graph
