"""Judges an emulator of Compute Engine by Google's official client: python compute.py http://127.0.0.1:PORT

Prints what failed and exits with 1, or prints "ok".
"""

import sys
import time

from google.api_core import exceptions
from google.api_core.future.polling import DEFAULT_POLLING
from google.auth.credentials import AnonymousCredentials
from google.cloud import compute_v1 as compute

PROJECT, ZONE, REGION = "judge", "europe-west1-b", "europe-west1"
ENDPOINT = sys.argv[1]
WAIT_SECONDS = 60


OPTIONS = {"credentials": AnonymousCredentials(), "client_options": {"api_endpoint": ENDPOINT}}
# Each client would ask Google itself how its operations stand, whatever its own endpoint is.
OPERATIONS = {
    "global_operations": compute.GlobalOperationsClient(**OPTIONS),
    "region_operations": compute.RegionOperationsClient(**OPTIONS),
    "zone_operations": compute.ZoneOperationsClient(**OPTIONS),
}


def client(kind):
    made = kind(**OPTIONS)
    made.transport._extended_operations_services.update(OPERATIONS)
    return made


templates = client(compute.InstanceTemplatesClient)
zonal_groups = client(compute.InstanceGroupManagersClient)
regional_groups = client(compute.RegionInstanceGroupManagersClient)
instances = client(compute.InstancesClient)
images = client(compute.ImagesClient)


def done(operation):
    """Waits for it, and raises its error. Asks more often than the client would by itself."""
    polling = DEFAULT_POLLING.with_delay(initial=0.02, maximum=0.5, multiplier=1.5).with_timeout(WAIT_SECONDS)
    operation.result(polling=polling)


def expect(condition, what):
    if not condition:
        raise AssertionError(what)


def expect_error(kinds, what, call):
    try:
        call()
    except kinds:
        return
    raise AssertionError(f"{what}: no error")


def wait_until(what, condition):
    deadline = time.monotonic() + WAIT_SECONDS
    while time.monotonic() < deadline:
        value = condition()
        if value:
            return value
        time.sleep(0.1)
    raise AssertionError(f"never: {what}")


def template(name):
    return compute.InstanceTemplate(
        name=name,
        properties=compute.InstanceProperties(
            machine_type="n1-standard-1",
            labels={"dagrun": "job", "dagrun-job": name},
            disks=[
                compute.AttachedDisk(
                    boot=True,
                    auto_delete=True,
                    initialize_params=compute.AttachedDiskInitializeParams(
                        source_image="projects/cos-cloud/global/images/family/cos-stable", disk_size_gb=20
                    ),
                )
            ],
            network_interfaces=[compute.NetworkInterface(network="global/networks/default")],
            scheduling=compute.Scheduling(
                provisioning_model="SPOT", instance_termination_action="DELETE", automatic_restart=False,
                on_host_maintenance="TERMINATE", max_run_duration=compute.Duration(seconds=3600),
            ),
            metadata=compute.Metadata(items=[compute.Items(key="user-data", value="#cloud-config\n")]),
        ),
    )


def group(name):
    return compute.InstanceGroupManager(
        name=name,
        base_instance_name=name,
        instance_template=f"global/instanceTemplates/{name}",
        target_size=1,
        instance_lifecycle_policy=compute.InstanceGroupManagerInstanceLifecyclePolicy(
            default_action_on_failure="DO_NOTHING"
        ),
    )


def judge_images():
    image = images.get_from_family(project="cos-cloud", family="cos-stable")
    expect(image.name and image.self_link, "the family's image has no name")
    expect(images.get(project="cos-cloud", image=image.name).name == image.name, "the image is not found by its name")


def judge_templates(name):
    request = compute.InsertInstanceTemplateRequest(
        project=PROJECT, instance_template_resource=template(name), request_id="6e3b2f5a-0a51-4e0e-9c7b-3d9c1e5f7a10"
    )
    first = templates.insert(request=request)
    again = templates.insert(request=request)
    expect(first.name == again.name, "a repeat with the same request id is another operation")
    done(first)

    read = templates.get(project=PROJECT, instance_template=name)
    expect(read.properties.disks[0].initialize_params.disk_size_gb == 20, "the disk's size is lost")
    expect(read.properties.scheduling.max_run_duration.seconds == 3600, "the longest run is lost")
    expect(read.properties.labels["dagrun-job"] == name, "a label is lost")
    expect(list(read.properties.metadata.items)[0].value == "#cloud-config\n", "the metadata are lost")

    def insert_again():
        done(templates.insert(project=PROJECT, instance_template_resource=template(name)))

    expect_error(exceptions.Conflict, "a second template of the same name", insert_again)

    def insert_badly():
        done(templates.insert(project=PROJECT, instance_template_resource=template("Not_A_Name")))

    expect_error(exceptions.BadRequest, "a name that is none", insert_badly)

    ours = templates.list(
        request=compute.ListInstanceTemplatesRequest(
            project=PROJECT, filter=f'(properties.labels.dagrun-job = "{name}")'
        )
    )
    expect([found.name for found in ours] == [name], "the template is not found by its label")


def judge_pages(names):
    for name in names:
        done(templates.insert(project=PROJECT, instance_template_resource=template(name)))
    pager = templates.list(request=compute.ListInstanceTemplatesRequest(project=PROJECT, max_results=2))
    pages = [[found.name for found in page.items] for page in pager.pages]
    expect(all(len(page) <= 2 for page in pages), f"a page is too long: {pages}")
    expect(set(names) <= {name for page in pages for name in page}, f"a template is on no page: {pages}")
    for name in names:
        done(templates.delete(project=PROJECT, instance_template=name))


def judge_group(groups, name, place):
    done(groups.insert(project=PROJECT, instance_group_manager_resource=group(name), **place))
    read = groups.get(project=PROJECT, instance_group_manager=name, **place)
    expect(read.target_size == 1, "the size is lost")
    expect(read.instance_template.endswith(f"/instanceTemplates/{name}"), "the template is lost")

    def running():
        found = list(groups.list_managed_instances(project=PROJECT, instance_group_manager=name, **place))
        return [one for one in found if one.instance_status == "RUNNING" and one.current_action == "NONE"]

    machine = wait_until("the VM runs", running)[0]
    zone = machine.instance.split("/zones/")[1].split("/")[0]
    vm = instances.get(project=PROJECT, zone=zone, instance=machine.instance.split("/")[-1])
    expect(vm.name.startswith(f"{name}-"), f"the VM is called {vm.name}")
    expect(vm.labels["dagrun"] == "job", "the VM lacks its labels")
    expect(list(groups.list_errors(project=PROJECT, instance_group_manager=name, **place)) == [], "there are errors")

    everywhere = dict(
        instances.aggregated_list(
            request=compute.AggregatedListInstancesRequest(project=PROJECT, filter=f'labels.dagrun-job = "{name}"')
        )
    )
    found = [one.name for scoped in everywhere.values() for one in scoped.instances]
    expect(found == [vm.name], f"the VM is not found by its label: {found}")
    groups_everywhere = dict(zonal_groups.aggregated_list(project=PROJECT))
    names = [one.name for scoped in groups_everywhere.values() for one in scoped.instance_group_managers]
    expect(name in names, f"the group is in no aggregated list: {names}")

    def delete_template():
        done(templates.delete(project=PROJECT, instance_template=name))

    expect_error(exceptions.BadRequest, "deleting a template that is in use", delete_template)

    done(groups.delete(project=PROJECT, instance_group_manager=name, **place))
    expect_error(
        exceptions.NotFound, "a deleted group",
        lambda: groups.get(project=PROJECT, instance_group_manager=name, **place),
    )
    expect_error(
        exceptions.NotFound, "a deleted group's VM",
        lambda: instances.get(project=PROJECT, zone=zone, instance=vm.name),
    )
    delete_template()
    expect_error(
        exceptions.NotFound, "a deleted template",
        lambda: templates.get(project=PROJECT, instance_template=name),
    )


judge_images()
judge_templates("zonal-1")
judge_pages(["page-a", "page-b", "page-c"])
judge_group(zonal_groups, "zonal-1", {"zone": ZONE})
done(templates.insert(project=PROJECT, instance_template_resource=template("regional-1")))
judge_group(regional_groups, "regional-1", {"region": REGION})
print("ok")
