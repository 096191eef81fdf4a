// What a category sells and how: the words its names are made of, the form of its SKUs, and how
// much of it a shop keeps.

/// How the SKUs of a category are written.
enum SKUForm {
    /// 13 digits with a check digit, as on a bar code. They begin with 2, which GS1 leaves to each
    /// company for its own use, so none is the number of a real product.
    case digits
    /// `TSH-RED-M`: product, variant, size.
    case variant
    /// `TV.1043/EU`: with the separators that trouble paths and addresses.
    case model
    /// `BX-10030`, and now and then `bx-10030` for another item altogether.
    case part
}

struct SampleCategory {
    let name: String
    /// Part of the catalogue, against the shares of the other categories.
    let share: Int
    /// How often an item sells, against the items of other categories.
    let popularity: Int
    /// How much of the category shops keep, in thousandths of what is usual for their size.
    let reach: Int
    /// Units on the shelf of a shop before demand is looked at.
    let facing: Int
    /// Most units in one sale.
    let basket: Int
    let form: SKUForm
    /// How a name is put together: 1, 2, 3 stand for one of `products`, `variants`, `sizes`.
    let pattern: String
    let products: [Word]
    let variants: [Word]
    let sizes: [Word]

    /// A part of a name and its short form in the SKU.
    struct Word {
        let code: Substring
        let text: Substring
    }

    init(
        _ name: String, share: Int, popularity: Int, reach: Int = 1000, facing: Int, basket: Int,
        _ form: SKUForm, _ pattern: String, _ products: String, _ variants: String, _ sizes: String
    ) {
        self.name = name
        self.share = share
        self.popularity = popularity
        self.reach = reach
        self.facing = facing
        self.basket = basket
        self.form = form
        self.pattern = pattern
        self.products = Self.words(products)
        self.variants = Self.words(variants)
        self.sizes = Self.words(sizes)
    }

    /// `CODE=text|text|…`: a word without a code has its text for it.
    private static func words(_ list: String) -> [Word] {
        list.split(separator: "|").map { entry in
            let parts = entry.split(separator: "=", maxSplits: 1)
            return Word(code: parts[0], text: parts[parts.count - 1])
        }
    }

    /// The number of items that differ in a word.
    var combinations: Int { products.count * variants.count * sizes.count }

    /// The words of item `number` of `count` in the category; `series` counts how often all
    /// combinations have been used before. Where there are more combinations than items, every
    /// product is there and some of its variants are not.
    private func words(_ number: Int, of count: Int) -> (Word, Word, Word, series: Int) {
        let place = count < combinations ? number * combinations / count : number
        let size = sizes[place % sizes.count]
        let variant = variants[place / sizes.count % variants.count]
        let product = products[place / (sizes.count * variants.count) % products.count]
        return (product, variant, size, place / combinations)
    }

    /// The name of item `number` of `count` in the category.
    func itemName(_ number: Int, of count: Int) -> String {
        let (product, variant, size, series) = words(number, of: count)
        var name = ""
        for character in pattern {
            switch character {
            case "1": name += product.text
            case "2": name += variant.text
            case "3": name += size.text
            default: name.append(character)
            }
        }
        return series == 0 ? name : "\(name), series \(series + 1)"
    }

    /// The SKU of item `number` of `count` in the category, which is the `index`th.
    func itemSKU(_ number: Int, of count: Int, category index: Int) -> String {
        let (product, variant, size, series) = words(number, of: count)
        switch form {
        case .digits:
            // The factor and the power of ten have no divisor in common: no two numbers meet.
            let scattered = (number * 791_900_009 + 123_456_789) % 1_000_000_000
            let digits = 2_00_000_000_000 + (index + 1) * 1_000_000_000 + scattered
            return "\(digits)\(Self.checkDigit(digits))"
        case .variant:
            let suffix = series == 0 ? "" : "\(series + 1)"
            return "\(product.code)\(suffix)-\(variant.code)-\(size.code)"
        case .model:
            return "\(product.code).\(1000 + number)/\(size.code)"
        case .part:
            // Every 32nd item has the SKU of the one before it, in small letters.
            guard number % 32 == 31 else { return "\(product.code)-\(10_000 + number)" }
            return itemSKU(number - 1, of: count, category: index).lowercased()
        }
    }

    /// The last digit of an EAN-13 (GS1 General Specifications §7.9): weights 1 and 3 from the left.
    private static func checkDigit(_ twelve: Int) -> Int {
        var sum = 0
        var rest = twelve
        var weight = 3
        while rest > 0 {
            sum += rest % 10 * weight
            rest /= 10
            weight = 4 - weight
        }
        return (10 - sum % 10) % 10
    }
}
