from __future__ import annotations

from typing import Any

import pytest

from mizzen.inject.owner import Owner, owner_of


def pod(kind: str = "", name: str = "", api: str = "apps/v1", **labels: str) -> dict[str, Any]:
    refs = [{"kind": kind, "name": name, "apiVersion": api, "controller": True}] if kind else []
    return {"metadata": {"generateName": "p-", "labels": labels, "ownerReferences": refs}}


@pytest.mark.row("IP-08")
@pytest.mark.parametrize(
    ("document", "owner"),
    [
        (pod("ReplicaSet", "web-7d4", **{"pod-template-hash": "7d4"}), Owner("web", "Deployment", "apps/v1")),
        (pod("ReplicaSet", "web-7d4"), Owner("web-7d4", "ReplicaSet", "apps/v1")),
        (
            pod("ReplicaSet", "web-8c", **{"rollouts-pod-template-hash": "8c"}),
            Owner("web", "Rollout", "argoproj.io/v1alpha1"),
        ),
        (pod("Job", "tidy-28000000", "batch/v1"), Owner("tidy", "CronJob", "batch/v1")),
        (pod("Job", "tidy-1", "batch/v1"), Owner("tidy-1", "Job", "batch/v1")),
        (
            pod("ReplicationController", "web-3", "v1", deploymentconfig="web"),
            Owner("web", "DeploymentConfig", "apps.openshift.io/v1"),
        ),
        (pod("StatefulSet", "db"), Owner("db", "StatefulSet", "apps/v1")),
        (pod(), Owner("p")),
        ({"metadata": {"name": "alone", "ownerReferences": [{"kind": "X", "controller": True}]}}, Owner("alone")),
        ({}, Owner("")),
    ],
)
def test_the_workload_behind_a_pod(document: dict[str, Any], owner: Owner) -> None:
    assert owner_of(document) == owner


def test_a_reference_that_does_not_control_is_no_owner() -> None:
    document = pod("ReplicaSet", "web-1")
    document["metadata"]["ownerReferences"][0]["controller"] = False
    assert owner_of(document) == Owner("p")


def test_the_uri_of_a_workload() -> None:
    assert (
        Owner("web", "Deployment", "apps/v1").uri("shop") == "kubernetes://apis/apps/v1/namespaces/shop/deployments/web"
    )
