"""Reads metrics from standard input as Prometheus' own library does; see ../README.md."""

import json
import sys

from prometheus_client.parser import text_string_to_metric_families

print(
    json.dumps(
        [
            {
                "name": family.name + ("_total" if family.type == "counter" else ""),
                "help": family.documentation,
                "type": family.type,
                "samples": [
                    {"name": sample.name, "labels": sample.labels, "value": repr(sample.value)}
                    for sample in family.samples
                ],
            }
            for family in text_string_to_metric_families(sys.stdin.read())
        ]
    )
)
