//! The first command of the README.

use oz_tests::World;

#[test]
fn quickstart_ends_with_a_test_that_passes() {
    let world = World::start(oz_tests::world::Options { embedded_worker: false, ..Default::default() });
    let mut command = world.oz_command();
    command.env_remove("OZ_API_KEY").env_remove("OZ_SERVER_URL").arg("quickstart");
    let out = oz_tests::Oz::from(command.output().unwrap());
    let text = format!("{}{}", out.stdout, out.stderr);
    assert_eq!(out.code, 0, "{text}");
    for expected in ["scripted", "SUCCEEDED", "pass"] {
        assert!(text.contains(expected), "{expected} is not in\n{text}");
    }
}
