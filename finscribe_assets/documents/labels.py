"""The words that documents put beside their values, by language: the usual wording first, then rarer ones."""

from __future__ import annotations

_EN = {
    "title.invoice": "Invoice|Tax Invoice|Bill", "title.receipt": "Receipt|Sales Receipt|Till Receipt",
    "title.purchase_order": "Purchase Order|Order|Order Form",
    "document_number.invoice": "Invoice No.|Invoice #|Inv. Number|Bill No.|Reference",
    "document_number.receipt": "Receipt No.|Ticket|Trans. No.|Slip #",
    "document_number.purchase_order": "PO Number|Order No.|P.O. #|Purchase Order No.",
    "issue_date.invoice": "Invoice Date|Date|Issued|Date of Issue", "issue_date.receipt": "Date|Date of Sale|Printed",
    "issue_date.purchase_order": "Order Date|Date|PO Date",
    "due_date": "Due Date|Payment Due|Pay by|Due", "delivery_date": "Delivery Date|Deliver by|Required by|Ship Date",
    "payment_terms": "Terms|Payment Terms|Conditions", "purchase_order_reference": "Your Order|PO Ref.|Order Ref.|Customer PO",
    "payment_account": "IBAN|Account|Pay to Account|Bank Account", "vat_identifier": "VAT No.|VAT Reg. No.|VAT ID",
    "seller": "From|Seller|Supplier|Vendor", "buyer": "Bill to|Customer|Invoice to|Sold to",
    "columns.line_id": "#|No.|Pos.|Line", "columns.item_name": "Description|Item|Details|Article",
    "columns.quantity": "Qty|Quantity|Units|Qty.", "columns.unit_code": "Unit|UoM|Per",
    "columns.net_price": "Unit Price|Price|Rate|Each", "columns.vat_rate": "VAT %|VAT|Tax %|Tax Rate",
    "columns.net_amount": "Amount|Net Amount|Line Total|Total",
    "totals.sum_of_line_net_amounts": "Goods Total|Sum of Lines|Items Total|Lines Total",
    "totals.allowance_total": "Discount|Less Discount|Rebate|Allowance",
    "totals.total_without_vat": "Subtotal|Net Total|Total excl. VAT|Net",
    "totals.total_vat": "VAT Total|Total VAT|VAT Amount", "totals.total_with_vat": "Total|Grand Total|Total incl. VAT|Invoice Total",
    "totals.paid_amount": "Paid|Deposit|Prepaid|Less Payment", "totals.amount_due": "Amount Due|Balance Due|To Pay|Total Due",
    "vat_breakdown": "VAT|VAT at|Tax", "on": "on",
    "thanks": "Thank you for your business|With thanks|We appreciate your custom",
}  # fmt: skip

_US = _EN | {
    "title.invoice": "Invoice|Sales Invoice|Bill", "title.receipt": "Receipt|Sales Receipt|Store Receipt",
    "vat_identifier": "Tax ID|EIN|Fed. Tax ID", "columns.vat_rate": "Tax %|Tax|Tax Rate",
    "payment_account": "Account No.|Account|Acct #|Bank Account",
    "totals.total_without_vat": "Subtotal|Net Total|Total before Tax|Net",
    "totals.total_vat": "Total Tax|Tax Total|Sales Tax Total", "vat_breakdown": "Sales Tax|Tax|State Tax",
    "totals.total_with_vat": "Total|Grand Total|Total incl. Tax|Invoice Total",
}  # fmt: skip

_DE = {
    "title.invoice": "Rechnung|Faktura|Warenrechnung", "title.receipt": "Quittung|Kassenbon|Beleg",
    "title.purchase_order": "Bestellung|Auftrag|Einkaufsbestellung",
    "document_number.invoice": "Rechnungs-Nr.|Rechnungsnummer|Rg.-Nr.|Belegnummer|Faktura-Nr.",
    "document_number.receipt": "Bon-Nr.|Beleg-Nr.|Quittung Nr.|Vorgang",
    "document_number.purchase_order": "Bestell-Nr.|Bestellnummer|Auftrags-Nr.|Best.-Nr.",
    "issue_date.invoice": "Rechnungsdatum|Datum|Ausgestellt am|Belegdatum", "issue_date.receipt": "Datum|Verkaufsdatum|Gedruckt am",
    "issue_date.purchase_order": "Bestelldatum|Datum|Bestellt am",
    "due_date": "Fällig am|Zahlbar bis|Fälligkeit|Zahlungsziel", "delivery_date": "Lieferdatum|Liefertermin|Lieferung am|Wunschtermin",
    "payment_terms": "Zahlungsbedingungen|Konditionen|Zahlung", "purchase_order_reference": "Ihre Bestellung|Bestell-Ref.|Ihr Auftrag|Kundenbestellung",
    "payment_account": "IBAN|Bankverbindung|Konto|Zahlbar auf", "vat_identifier": "USt-IdNr.|USt-ID|Umsatzsteuer-ID",
    "seller": "Lieferant|Verkäufer|Absender|Von", "buyer": "Kunde|Rechnung an|Käufer|Besteller",
    "columns.line_id": "Pos.|Nr.|Lfd. Nr.|#", "columns.item_name": "Bezeichnung|Beschreibung|Artikel|Leistung",
    "columns.quantity": "Menge|Anzahl|Stückzahl|Mge.", "columns.unit_code": "Einheit|ME|Einh.",
    "columns.net_price": "Einzelpreis|Preis|E-Preis|Stückpreis", "columns.vat_rate": "MwSt. %|USt. %|Steuer %|MwSt.",
    "columns.net_amount": "Betrag|Gesamtpreis|Nettobetrag|Summe",
    "totals.sum_of_line_net_amounts": "Summe Positionen|Warenwert|Positionssumme|Zwischensumme",
    "totals.allowance_total": "Rabatt|Nachlass|Abzug|Preisnachlass",
    "totals.total_without_vat": "Nettobetrag|Summe netto|Netto|Gesamt netto",
    "totals.total_vat": "MwSt. gesamt|Summe MwSt.|Umsatzsteuer gesamt", "totals.total_with_vat": "Gesamtbetrag|Bruttobetrag|Summe brutto|Rechnungsbetrag",
    "totals.paid_amount": "Anzahlung|Bereits gezahlt|Abschlag|Vorauszahlung", "totals.amount_due": "Zahlbetrag|Offener Betrag|Zu zahlen|Restbetrag",
    "vat_breakdown": "MwSt.|USt.|Umsatzsteuer", "on": "auf",
    "thanks": "Vielen Dank für Ihren Auftrag|Wir danken für Ihren Einkauf|Mit freundlichen Grüßen",
}  # fmt: skip

_FR = {
    "title.invoice": "Facture|Facture de vente|Note", "title.receipt": "Reçu|Ticket de caisse|Justificatif",
    "title.purchase_order": "Bon de commande|Commande|Ordre d'achat",
    "document_number.invoice": "N° facture|Facture n°|Réf. facture|Numéro|Pièce n°",
    "document_number.receipt": "Ticket n°|N° reçu|N° ticket|Opération",
    "document_number.purchase_order": "N° commande|Commande n°|Bon n°|Réf. commande",
    "issue_date.invoice": "Date de facture|Date|Émise le|Date d'émission", "issue_date.receipt": "Date|Date d'achat|Imprimé le",
    "issue_date.purchase_order": "Date de commande|Date|Commandé le",
    "due_date": "Échéance|À payer avant le|Date limite|Payable le", "delivery_date": "Date de livraison|Livraison le|À livrer le|Livraison souhaitée",
    "payment_terms": "Conditions|Modalités de paiement|Règlement", "purchase_order_reference": "Votre commande|Réf. client|Commande client|V/Réf.",
    "payment_account": "IBAN|Compte|Compte bancaire|Virement à", "vat_identifier": "N° TVA|TVA intracom.|Id. TVA",
    "seller": "Fournisseur|Vendeur|Émetteur|De", "buyer": "Client|Facturé à|Acheteur|Destinataire",
    "columns.line_id": "N°|Pos.|Ligne|#", "columns.item_name": "Désignation|Description|Article|Libellé",
    "columns.quantity": "Qté|Quantité|Nombre|Nb", "columns.unit_code": "Unité|U.|Un.",
    "columns.net_price": "Prix unitaire|P.U. HT|Prix|Tarif", "columns.vat_rate": "TVA %|TVA|Taux TVA|Taux",
    "columns.net_amount": "Montant HT|Montant|Total HT|Total ligne",
    "totals.sum_of_line_net_amounts": "Total lignes|Somme des lignes|Total articles|Sous-total lignes",
    "totals.allowance_total": "Remise|Rabais|Réduction|Escompte",
    "totals.total_without_vat": "Total HT|Sous-total|Net HT|Montant net",
    "totals.total_vat": "Total TVA|Montant TVA|TVA totale", "totals.total_with_vat": "Total TTC|Montant TTC|Total|Total général",
    "totals.paid_amount": "Acompte|Déjà réglé|Avance|Versé", "totals.amount_due": "Net à payer|Reste à payer|À payer|Solde dû",
    "vat_breakdown": "TVA|TVA à|Taxe", "on": "sur",
    "thanks": "Merci de votre confiance|Merci de votre visite|Avec nos remerciements",
}  # fmt: skip

_WORDINGS = {locale: {key: tuple(words.split("|")) for key, words in table.items()}
             for locale, table in (("en_US", _US), ("en_GB", _EN), ("de_DE", _DE), ("fr_FR", _FR))}  # fmt: skip


def label_keys() -> tuple[str, ...]:
    """Return the keys of all labels; every locale has a wording for each."""
    return tuple(_EN)


def wordings(locale: str, key: str) -> tuple[str, ...]:
    """Return a label's wordings in a locale, the usual one first."""
    return _WORDINGS[locale][key]
