"""What the chart renders: valid for the oldest and the newest Kubernetes, restricted, and of one piece."""

import json
import unittest

import kubernetes_validate
import yaml
from rendering import CHART, CI_VALUES, HELMS, containers, find, helm, pods, render

OLDEST, NEWEST = "1.30.0", "1.37.0"
# Of other projects' operators, which no schema of Kubernetes describes.
FOREIGN = {"Certificate", "HTTPRoute", "PrometheusRule", "ScaledObject", "ServiceMonitor"}
NAMES = [path.name.removesuffix("-values.yaml") for path in CI_VALUES]


def oldest_for(name):
    return "1.35.0" if name == "image-volume" else OLDEST


class EveryValuesFile(unittest.TestCase):
    def each(self):
        for name in NAMES:
            with self.subTest(values=name):
                yield name, render(name)

    def test_lints_strictly(self):
        for path in CI_VALUES:
            for version in HELMS:
                with self.subTest(values=path.name, helm=version):
                    done = helm("lint", "--strict", "--kube-version", NEWEST, "--values", path, CHART, version=version)
                    self.assertEqual(done.returncode, 0, done.stdout + done.stderr)

    def test_every_value_is_set_in_one(self):
        def named(schema, path=""):
            for name, inner in schema["properties"].items():
                if "properties" in inner and "items" not in inner:
                    yield from named(inner, f"{path}{name}.")
                elif name != "global":
                    yield path + name

        def said(table, path=""):
            for name, inner in table.items():
                yield path + name
                if isinstance(inner, dict):
                    yield from said(inner, f"{path}{name}.")

        wanted = set(named(json.loads((CHART / "values.schema.json").read_text())))
        for path in CI_VALUES:
            wanted -= set(said(yaml.safe_load(path.read_text())))
        self.assertEqual(wanted, set())

    def test_renders_alike_with_both_helms(self):
        for name, objects in self.each():
            self.assertEqual(objects, render(name, version="4.1"))

    def test_is_valid_for_oldest_and_newest_kubernetes(self):
        for name in NAMES:
            for kubernetes in (oldest_for(name), NEWEST):
                for each in render(name, kubernetes=kubernetes):
                    with self.subTest(values=name, kubernetes=kubernetes, kind=each["kind"]):
                        if each["kind"] not in FOREIGN:
                            kubernetes_validate.validate(each, kubernetes, strict=True)

    def test_meets_the_restricted_level(self):
        for _, objects in self.each():
            for name, _, spec in pods(objects):
                pod = spec["securityContext"]
                self.assertTrue(pod["runAsNonRoot"] and pod["runAsUser"] > 0, name)
                self.assertEqual(pod["seccompProfile"]["type"], "RuntimeDefault", name)
                self.assertIs(spec["automountServiceAccountToken"], False, name)
                self.assertFalse({"hostNetwork", "hostPID", "hostIPC"} & spec.keys(), name)
                self.assertFalse([each for each in spec.get("volumes", []) if "hostPath" in each], name)
                for container in containers(spec):
                    context = container["securityContext"]
                    self.assertIs(context["allowPrivilegeEscalation"], False, name)
                    self.assertIs(context["readOnlyRootFilesystem"], True, name)
                    self.assertEqual(context["capabilities"], {"drop": ["ALL"]}, name)
                    self.assertIn("memory", container["resources"]["limits"], name)

    def test_selects_pods_that_there_are(self):
        for _, objects in self.each():
            labels = [labels for _, labels, _ in pods(objects)]
            for each in objects:
                spec = each.get("spec", {})
                selector = {"Service": spec.get("selector"), "NetworkPolicy": spec.get("podSelector", {}).get("matchLabels"),
                            "PodDisruptionBudget": spec.get("selector", {}).get("matchLabels"),
                            "Deployment": spec.get("selector", {}).get("matchLabels"),
                            "StatefulSet": spec.get("selector", {}).get("matchLabels")}.get(each["kind"])
                if selector is None:
                    continue
                met = [one for one in labels if selector.items() <= one.items()]
                self.assertTrue(met, f"{each['kind']} {each['metadata']['name']} selects nothing")
                if each["kind"] in ("Deployment", "StatefulSet", "PodDisruptionBudget"):
                    self.assertEqual(len(met), 1, f"{each['kind']} {each['metadata']['name']}")

    def test_services_name_ports_of_the_pods_they_select(self):
        for _, objects in self.each():
            for service in (each for each in objects if each["kind"] == "Service"):
                for _, labels, spec in pods(objects):
                    if service["spec"]["selector"].items() <= labels.items():
                        ports = {port["name"] for one in spec["containers"] for port in one["ports"]}
                        wanted = {port["targetPort"] for port in service["spec"]["ports"]}
                        self.assertLessEqual(wanted, ports, service["metadata"]["name"])

    def test_mounts_volumes_that_there_are(self):
        for _, objects in self.each():
            for each in objects:
                for name, _, spec in pods([each]):
                    volumes = [volume["name"] for volume in spec.get("volumes", [])]
                    volumes += [claim["metadata"]["name"] for claim in each["spec"].get("volumeClaimTemplates", [])]
                    self.assertEqual(len(volumes), len(set(volumes)), name)
                    mounted = {mount["name"] for one in containers(spec) for mount in one.get("volumeMounts", [])}
                    self.assertEqual(mounted, set(volumes), name)


def env(objects, kind, name):
    spec = find(objects, kind, name)["spec"]["template"]["spec"]
    return {each["name"]: each.get("value", each.get("valueFrom")) for each in spec["containers"][0]["env"]}


class Switches(unittest.TestCase):
    maxDiff = None

    def test_only_workers_get_the_models_key(self):
        objects = render("split", sets=("model.url=https://m.example/v1", "model.existingSecret=key"))
        key = {"secretKeyRef": {"name": "key", "key": "key"}}
        self.assertEqual(env(objects, "Deployment", "demo-aiagent-worker").get("AIAGENT_MODEL_KEY"), key)
        self.assertNotIn("AIAGENT_MODEL_KEY", env(objects, "Deployment", "demo-aiagent-dashboard"))

    def test_only_dashboards_get_the_tokens(self):
        objects = render("split")
        self.assertEqual(env(objects, "Deployment", "demo-aiagent-dashboard").get("AIAGENT_TOKENS_FILE"), "/etc/ai-agent-tokens/people.json")
        self.assertNotIn("AIAGENT_TOKENS_FILE", env(objects, "Deployment", "demo-aiagent-worker"))

    def test_only_the_hosts_reach_redis(self):
        policy = find(render("split"), "NetworkPolicy", "demo-aiagent-redis")["spec"]
        hosts = {"app.kubernetes.io/name": "aiagent", "app.kubernetes.io/instance": "demo", "aiagent-host": "true"}
        self.assertEqual(policy["ingress"], [{"from": [{"podSelector": {"matchLabels": hosts}}],
                                              "ports": [{"port": "redis", "protocol": "TCP"}]}])
        self.assertEqual(policy["policyTypes"], ["Ingress", "Egress"])
        self.assertNotIn("egress", policy)

    def test_dashboards_reach_no_model(self):
        policy = find(render("split"), "NetworkPolicy", "demo-aiagent-models")["spec"]
        self.assertEqual(policy["podSelector"]["matchLabels"]["app.kubernetes.io/component"], "worker")

    def test_workers_reach_the_models_that_are_named(self):
        public = {"ipBlock": {"cidr": "0.0.0.0/0", "except": ["10.0.0.0/8", "100.64.0.0/10", "169.254.0.0/16",
                                                              "172.16.0.0/12", "192.168.0.0/16"]}}
        for url, port, to in (
            ("", 443, public),
            ("https://api.openai.com/v1", 443, public),
            ("https://models.example:8443/v1", 8443, public),
            ("http://10.1.2.3/v1", 80, {"ipBlock": {"cidr": "10.1.2.3/32"}}),
            ("http://[fd00::1]:8000/v1", 8000, {"ipBlock": {"cidr": "fd00::1/128"}}),
            ("http://ollama:11434/v1", 11434, {"podSelector": {}}),
            ("http://ollama.models.svc.cluster.local:11434/v1", 11434,
             {"namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": "models"}}}),
        ):
            with self.subTest(url):
                [rule] = find(render(sets=(f"model.url={url}",)), "NetworkPolicy", "demo-aiagent-models")["spec"]["egress"]
                self.assertEqual((rule["ports"][0]["port"], rule["to"][0]), (port, to))
        ports = [rule["ports"][0]["port"] for rule in find(render("single"), "NetworkPolicy", "demo-aiagent-models")["spec"]["egress"]]
        self.assertEqual(ports, [443, 11434])

    def test_a_helm_test_is_a_task_where_there_is_a_model(self):
        def asks(*sets):
            return find(render("", sets=sets), "Pod", "demo-aiagent-test")["spec"]["containers"][0]["args"][0]

        self.assertEqual([asks(), asks("model.name=m"), asks("config.models.a.model=m"), asks("model.name=m", "smokeTest=false")],
                         ["tasks", "smoke", "smoke", "tasks"])

    def test_no_policy_where_none_is_wanted(self):
        self.assertFalse([each for each in render("extra") if each["kind"] == "NetworkPolicy"])

    def test_an_external_redis_is_named_and_none_is_made(self):
        objects = render("external-redis")
        self.assertFalse([each for each in objects if each["kind"] == "StatefulSet"])
        found = env(objects, "Deployment", "demo-aiagent-worker")
        self.assertTrue(found["AIAGENT_STORE"].startswith("rediss+sentinel://"))
        self.assertEqual(found["AIAGENT_REDIS_CA_FILE"], "/etc/ai-agent-redis/tls.crt")
        self.assertEqual(found["AIAGENT_REDIS_SENTINEL_PASSWORD"], {"secretKeyRef": {"name": "redis", "key": "sentinel"}})

    def test_autoscaling_owns_the_number_of_workers(self):
        for name, kind in (("hpa", "HorizontalPodAutoscaler"), ("keda", "ScaledObject")):
            with self.subTest(name):
                objects = render(name)
                scaler = find(objects, kind, "demo-aiagent-worker")
                self.assertEqual(scaler["spec"]["scaleTargetRef"]["name"], "demo-aiagent-worker")
                self.assertNotIn("replicas", find(objects, "Deployment", "demo-aiagent-worker")["spec"])
                scalers = [each for each in objects if each["kind"] in ("HorizontalPodAutoscaler", "ScaledObject")]
                self.assertEqual(len(scalers), 1)

    def test_keda_asks_for_what_waits_and_runs(self):
        spec = find(render("keda"), "ScaledObject", "demo-aiagent-worker")["spec"]
        url = "http://demo-aiagent.tools.svc:80/readyz"
        asked = [(each["name"], each["metadata"]["url"], each["metadata"]["valueLocation"]) for each in spec["triggers"]]
        self.assertEqual(asked, [("queued", url, "tasks.queued"), ("running", url, "tasks.running")])
        self.assertEqual(spec["advanced"]["scalingModifiers"]["formula"], "queued + running")

    def test_a_change_of_the_configuration_rolls_the_pods(self):
        def sums(*sets):
            template = find(render("split", sets=sets), "Deployment", "demo-aiagent-worker")["spec"]["template"]
            return template["metadata"]["annotations"]

        self.assertEqual(sums(), sums("service.port=81"))
        self.assertNotEqual(sums(), sums("config.keep_days=1"))

    def test_the_pod_outlives_the_grace_of_its_steps(self):
        spec = find(render("split"), "Deployment", "demo-aiagent-worker")["spec"]["template"]["spec"]
        self.assertEqual(spec["terminationGracePeriodSeconds"], 110)

    def test_plugin_folders_in_the_order_in_which_they_win(self):
        found = env(render("plugins"), "StatefulSet", "demo-aiagent")["AIAGENT_PLUGINS_DIR"].split(":")
        self.assertEqual(found, ["/plugins/inline", "/plugins/configmap-team-builder", "/plugins/init/company",
                                 "/plugins/claim", "/usr/lib/ai-agent/plugins"])

    def test_sums_of_plugins_join_what_is_configured_of_them(self):
        toml = find(render("plugins"), "ConfigMap", "demo-aiagent")["data"]["aiagent.toml"]
        self.assertIn('["plugins"."my-fixer"]\n"sha256" = "24eaf343', toml)
        self.assertIn('"wall_ms" = 60000', toml)

    def test_routes_lead_to_the_service(self):
        objects = render("routes")
        port = find(objects, "Service", "demo-aiagent")["spec"]["ports"][0]
        rule = find(objects, "Ingress", "demo-aiagent")["spec"]["rules"][0]["http"]["paths"][0]
        self.assertEqual(rule["backend"]["service"], {"name": "demo-aiagent", "port": {"name": port["name"]}})
        route = find(objects, "HTTPRoute", "demo-aiagent")["spec"]
        self.assertEqual(route["rules"], [{"backendRefs": [{"name": "demo-aiagent", "port": port["port"]}]}])

    def test_extra_objects_are_templates(self):
        self.assertEqual(find(render("extra"), "ConfigMap", "demo-note")["data"], {"note": "hello"})

    def test_refusals_say_what_to_do(self):
        for values, sets, says in (
            ("", ("nope=1",), "nope"),
            ("", ("worker.replica=3",), "replica"),
            ("", ("mode=both",), "mode"),
            ("", ("config.token=x",), "config.token: the chart sets this one itself"),
            ("", ("ingress.enabled=true",), "ingress.hosts"),
            ("", ("worker.autoscaling.type=keda",), "several pods need mode split"),
            ("hpa", ("worker.autoscaling.minReplicas=0",), "worker.autoscaling.minReplicas"),
            ("", ("mode=split", "redis.enabled=false"), "set redis.enabled, or externalRedis.url"),
            ("split", ("externalRedis.url=redis://r:6379",), "only one of them can hold the queue"),
            ("", ("mode=split", "redis.enabled=false", "externalRedis.url=redis://u:p@r"), "externalRedis.url"),
            ("", ("metrics.serviceMonitor.enabled=true",), "need metrics.enabled"),
            ("", ("image.digest=latest",), "image.digest"),
            ("", ("plugins.sha256.fixer=abc",), "plugins.sha256"),
        ):
            with self.subTest(values=values, sets=sets), self.assertRaises(ValueError) as raised:
                render(values, sets=sets)
            self.assertIn(says, str(raised.exception))
        with self.assertRaisesRegex(ValueError, "image volumes need Kubernetes 1.35, and this is v1.34.0"):
            render("image-volume", kubernetes="1.34.0")
