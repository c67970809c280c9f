//! Arrays: their checks, their orders, and the parts of complex numbers.

use super::*;

fn bytes(element: Element, shape: &[u64], order: Order) -> Array {
    let len = count_elements(shape, element.size()).unwrap() * element.size();
    let data: Vec<u8> = (0..len).map(|at| (at * 7 % 251) as u8).collect();
    Array::new(element, shape.to_vec(), order, Data::Plain(data.into())).unwrap()
}

#[test]
fn a_matrix_changes_its_order() {
    let data = Bytes::from_static(&[0, 1, 2, 3, 4, 5]);
    let rows = Array::new(Element::UInt8, vec![2, 3], Order::Last, Data::Plain(data)).unwrap();
    let columns = rows.in_order(Order::First);
    assert_eq!(columns.data, Data::Plain(vec![0, 3, 1, 4, 2, 5].into()));
    assert_eq!(columns.in_order(Order::Last), rows);
}

#[test]
fn every_index_finds_its_element() {
    for shape in [
        &[2, 3, 4][..],
        &[33, 70],
        &[3, 1, 2, 5],
        &[40, 2, 3, 37],
        &[1, 5],
    ] {
        let rows = bytes(Element::UInt16, shape, Order::Last);
        let columns = rows.in_order(Order::First);
        let (Data::Plain(from), Data::Plain(to)) = (&rows.data, &columns.data) else {
            panic!("not plain");
        };
        let mut index = vec![0; shape.len()];
        for place in 0..rows.len() {
            let mut rest = place as u64;
            for (index, len) in index.iter_mut().zip(shape).rev() {
                *index = rest % len;
                rest /= len;
            }
            let target = (index.iter().zip(shape).rev())
                .fold(0, |target, (index, len)| target * len + index)
                as usize;
            assert_eq!(from[2 * place..][..2], to[2 * target..][..2], "{shape:?}");
        }
        assert_eq!(columns.in_order(Order::Last), rows);
    }
}

#[test]
fn what_need_not_move_is_not_copied() {
    for shape in [&[][..], &[4], &[1, 4], &[0, 3]] {
        let array = bytes(Element::Int32, shape, Order::First);
        let other = array.in_order(Order::Last);
        let (Data::Plain(from), Data::Plain(to)) = (&array.data, &other.data) else {
            panic!("not plain");
        };
        assert_eq!(from.as_ptr(), to.as_ptr());
    }
}

#[test]
fn complex_numbers_go_apart_and_together() {
    let plain = bytes(Element::Complex64, &[3, 2], Order::First);
    let (re, im) = plain.planes().unwrap();
    let planes = Array {
        data: Data::Planes(re, im),
        ..plain.clone()
    };
    planes.check().unwrap();
    assert_eq!(planes.len(), 6);
    assert_eq!(Data::Plain(planes.interleaved()), plain.data);
    let turned = planes.in_order(Order::Last);
    assert_eq!(
        Data::Plain(turned.interleaved()),
        plain.in_order(Order::Last).data
    );
}

#[test]
fn sizes_are_checked() {
    let data = |len| Data::Plain(vec![0; len].into());
    let new = |shape: &[u64], data| Array::new(Element::Int16, shape.to_vec(), Order::First, data);
    assert!(new(&[2, 3], data(12)).is_ok());
    assert!(new(&[], data(2)).is_ok());
    assert!(new(&[0, 1 << 40], data(0)).is_ok());
    for (shape, len) in [(&[2, 3][..], 11), (&[2], 2), (&[0], 2)] {
        let expected = count_elements(shape, 2).unwrap() * 2;
        assert_eq!(new(shape, data(len)), Err(ArrayError::Size { expected }));
    }
    for shape in [&[1 << 63, 2][..], &[u64::MAX, 0], &[1; 65]] {
        assert_eq!(new(shape, data(0)), Err(ArrayError::Shape));
    }
    assert!(new(&[1], Data::Planes(vec![0].into(), vec![0].into())).is_err());
}
