use crate::error::{Error, Result};

/// How far the square of a length may be from 1 for the vector to be kept as it is: what `f32` arithmetic leaves after normalising.
const UNIT_TOLERANCE: f64 = 2e-6;

/// The vector at length 1. One that has this length already, within what `f32` can tell, stays as it is to the bit.
///
/// # Errors
/// [`InvalidInput`](crate::ErrorKind::InvalidInput) for another number of dimensions, a number that is not finite, and zeros alone.
pub(super) fn unit(operation: &'static str, embedding: &[f32], dimensions: usize) -> Result<Vec<f32>> {
    let mut vector = embedding.to_vec();
    make_unit(operation, &mut vector, dimensions)?;
    Ok(vector)
}

/// Brings the vector to length 1; see [`unit`].
pub(super) fn make_unit(operation: &'static str, vector: &mut [f32], dimensions: usize) -> Result<()> {
    if vector.len() != dimensions {
        let message = format!(
            "embedding: {} numbers, but the index has {dimensions} dimensions; embed with the same model, or configure `dimensions`",
            vector.len()
        );
        return Err(Error::invalid(operation, message));
    }
    if let Some(at) = vector.iter().position(|x| !x.is_finite()) {
        let message = format!(
            "embedding[{at}]: {} is not a finite number of 32 bits; leave out what could not be embedded",
            vector[at]
        );
        return Err(Error::invalid(operation, message));
    }
    let square: f64 = vector.iter().map(|&x| f64::from(x) * f64::from(x)).sum();
    if square <= 0.0 {
        let message =
            "embedding: every number is 0, which is no direction; leave out what could not be embedded";
        return Err(Error::invalid(operation, message));
    }
    if (square - 1.0).abs() > UNIT_TOLERANCE {
        let length = square.sqrt();
        for x in vector {
            *x = narrow(f64::from(*x) / length);
        }
    }
    Ok(())
}

/// The nearest `f32`.
#[allow(clippy::cast_possible_truncation)] // Rounding is what is asked for.
pub(super) fn narrow(x: f64) -> f32 {
    x as f32
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_vector_has_length_one_whatever_its_size_was() {
        for scale in [1e-44_f32, 1e-30, 1.0, 1e30] {
            let made = unit("t", &[3.0 * scale, -4.0 * scale], 2).unwrap();
            let square: f64 = made.iter().map(|&x| f64::from(x).powi(2)).sum();
            assert!((square - 1.0).abs() < 1e-6, "{scale}: {made:?}");
        }
        assert_eq!(unit("t", &[3.0, -4.0], 2).unwrap(), [0.6, -0.8]);
    }

    #[test]
    fn a_unit_vector_stays_as_it_is() {
        let made = unit("t", &[1.0, 2.0, 3.0], 3).unwrap();
        assert_eq!(unit("t", &made, 3).unwrap(), made);
    }

    #[test]
    fn what_is_no_direction_is_named() {
        for (bad, named) in [
            (&[1.0][..], "1 numbers, but the index has 2"),
            (&[1.0, f32::NAN], "embedding[1]: NaN"),
            (&[f32::INFINITY, 0.0], "embedding[0]: inf"),
            (&[0.0, -0.0], "every number is 0"),
        ] {
            let error = unit("t", bad, 2).unwrap_err();
            assert!(error.message().contains(named), "{error}");
        }
    }
}
