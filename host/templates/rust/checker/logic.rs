use plugin::problems;

#[test]
fn what_is_wrong_is_found_with_its_line() {
    assert_eq!(problems("a\n\nb\n"), []);
    assert_eq!(problems("a\nb \n"), [(2, "blanks at the end of the line")]);
    let conflict = problems("<<<<<<< HEAD\na\n=======\nb\n>>>>>>> other\n");
    assert_eq!(conflict.iter().map(|(line, _)| *line).collect::<Vec<_>>(), [1, 5]);
}
